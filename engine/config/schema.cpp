#include "engine/config/schema.h"

#include <cmath>

#include "engine/config/number_text.h"
#include "engine/config/parse.h"

namespace engine {
namespace {

// 1, not 1.0, where the bound is a whole number.
Json bound(double value) {
    return value == std::floor(value) ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

class SchemaWriter final : public Fields {
  public:
    void get(std::string_view key, bool& value, std::string_view meaning) override {
        put(key, {{"type", "boolean"}}, value, meaning);
    }
    void get(std::string_view key, std::int64_t& value, const Range& range, std::string_view meaning) override {
        put(key, number("integer", range), value, meaning);
    }
    void get(std::string_view key, std::uint64_t& value, std::string_view meaning) override {
        put(key, {{"type", "integer"}, {"minimum", 0}, {"maximum", std::numeric_limits<std::uint64_t>::max()}}, value,
            meaning);
    }
    void get(std::string_view key, double& value, const Range& range, std::string_view meaning) override {
        put(key, number("number", range), value, meaning);
    }
    void get(std::string_view key, std::optional<std::string>& value, std::string_view meaning) override {
        put(key, {{"type", {"string", "null"}}, {"minLength", 1}}, value ? Json(*value) : Json(), meaning);
    }
    void get(std::string_view key, std::vector<std::int64_t>& value, const Range& range,
             std::string_view meaning) override {
        put(key, {{"type", "array"}, {"items", number("integer", range)}}, value, meaning);
    }
    void get(std::string_view key, std::vector<double>& value, const Range& range, std::string_view meaning) override {
        put(key, {{"type", "array"}, {"items", number("number", range)}}, value, meaning);
    }
    void check(std::string_view, bool, const std::string&) override {}

    const Json& properties() const { return root_.at("properties"); }

  private:
    void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                std::string_view meaning) override {
        put(key, {{"enum", names}}, names[index], meaning);
    }
    void begin_object(std::string_view key, std::string_view meaning) override {
        Json section = closed_object();
        section["description"] = meaning;
        at_ = at_ / "properties" / std::string(key);
        root_[at_] = section;
    }
    void end_object() override { at_ = at_.parent_pointer().parent_pointer(); }

    static Json closed_object() {
        return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
    }

    static Json number(const char* type, const Range& range) {
        Json schema = {{"type", type}};
        if (std::isfinite(range.lower)) schema["minimum"] = bound(range.lower);
        if (std::isfinite(range.upper)) {
            schema[range.upper_excluded ? "exclusiveMaximum" : "maximum"] = bound(range.upper);
        }
        return schema;
    }

    void put(std::string_view key, Json schema, const Json& value, std::string_view meaning) {
        schema["default"] = value;
        schema["description"] = meaning;
        root_[at_ / "properties" / std::string(key)] = schema;
    }

    Json root_ = closed_object();
    Json::json_pointer at_;
};

std::string code(const Json& value) {
    return "`" + value.dump() + "`";
}

std::string number_words(const Json& schema, bool plural) {
    Range range;
    if (schema.contains("minimum")) range.lower = schema["minimum"];
    if (schema.contains("maximum")) range.upper = schema["maximum"];
    if (schema.contains("exclusiveMaximum")) {
        range.upper = schema["exclusiveMaximum"];
        range.upper_excluded = true;
    }
    return schema["type"].get<std::string>() + (plural ? "s" : "") + bounds_text(range);
}

std::string values_words(const Json& schema) {
    if (schema.contains("enum")) {
        std::string words;
        for (const Json& name : schema["enum"]) words += (words.empty() ? "" : ", ") + code(name);
        return words;
    }
    const Json& type = schema["type"];
    if (type.is_array()) return "string or null";
    if (type == "boolean") return "true or false";
    if (type == "array") return "array of " + number_words(schema["items"], true);
    if (schema.value("maximum", Json()) == std::numeric_limits<std::uint64_t>::max()) return "integer from 0 to 2^64-1";
    return number_words(schema, false);
}

void add_rows(const Json& properties, const std::string& prefix, std::string& table) {
    for (const auto& [key, schema] : properties.items()) {
        if (schema.contains("properties")) {
            add_rows(schema["properties"], prefix + key + ".", table);
            continue;
        }
        table += "| `" + prefix + key + "` | " + values_words(schema) + " | " + code(schema["default"]) + " | " +
                 schema["description"].get<std::string>() + " |\n";
    }
}

}  // namespace

std::string write_schema(const Describe& describe, const std::string& title) {
    SchemaWriter writer;
    describe(writer);
    Json properties = {{"$schema", {{"type", "string"}, {"description", "this schema, for editors"}}}};
    properties.update(writer.properties());
    const Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                         {"title", title},
                         {"type", "object"},
                         {"additionalProperties", false},
                         {"properties", properties}};
    return schema.dump(4) + "\n";
}

std::string write_key_table(const Describe& describe) {
    SchemaWriter writer;
    describe(writer);
    std::string table = "| key | values | default | meaning |\n|---|---|---|---|\n";
    add_rows(writer.properties(), "", table);
    return table;
}

}  // namespace engine
