#include "engine/config/schema.h"

#include <cmath>

#include "engine/config/parse.h"

namespace residual {
namespace {

// Writes whole numbers as 1, not 1.0.
Json bound(double value) {
    return value == std::floor(value) ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

class SchemaWriter final : public Fields {
  public:
    void get(std::string_view key, bool& value, const Meaning& meaning) override {
        put(key, {{"type", "boolean"}}, value, meaning);
    }
    void get(std::string_view key, std::int64_t& value, const Range& range, const Meaning& meaning) override {
        put(key, number("integer", range), value, meaning);
    }
    void get(std::string_view key, std::uint64_t& value, const Meaning& meaning) override {
        put(key, {{"type", "integer"}, {"minimum", 0}, {"maximum", std::numeric_limits<std::uint64_t>::max()}}, value,
            meaning);
    }
    void get(std::string_view key, double& value, const Range& range, const Meaning& meaning) override {
        put(key, number("number", range), value, meaning);
    }
    void get(std::string_view key, std::string& value, const Form& form, const Meaning& meaning) override {
        put(key, {{"type", "string"}, {"pattern", form.pattern}, {"examples", form.examples}}, value, meaning);
    }
    void get(std::string_view key, std::optional<std::string>& value, const Meaning& meaning) override {
        put(key, {{"type", {"string", "null"}}, {"minLength", 1}}, value ? Json(*value) : Json(), meaning);
    }
    void get(std::string_view key, std::vector<std::int64_t>& value, const Range& range,
             const Meaning& meaning) override {
        put(key, {{"type", "array"}, {"items", number("integer", range)}}, value, meaning);
    }
    void get(std::string_view key, std::vector<double>& value, const Range& range, const Meaning& meaning) override {
        put(key, {{"type", "array"}, {"items", number("number", range)}}, value, meaning);
    }
    void get(std::string_view key, std::optional<std::int64_t>& value, const Range& range, std::string_view word,
             const Meaning& meaning) override {
        const Json choice = {{"anyOf", {number("integer", range), {{"const", word}}}}};
        put(key, choice, value ? Json(*value) : Json(word), meaning);
    }
    void obsolete(std::string_view key, std::string_view value) override {
        root_[at_ / "properties" / std::string(key)] = {
            {"const", value}, {"deprecated", true}, {"description", "only in older configurations; has no effect"}};
    }
    void check(std::string_view, bool, const std::string&) override {}

    const Json& properties() const { return root_.at("properties"); }

  private:
    void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                const Meaning& meaning) override {
        put(key, {{"enum", names}}, names[index], meaning);
    }
    // One closed object per alternative. `key` is required in all but the default alternative.
    void alternatives(std::string_view key, std::size_t index, std::span<const std::string_view> names,
                      const Meaning& meaning, const std::function<void(std::size_t)>& describe) override {
        const Json::json_pointer section = at_;
        root_[section].erase("properties");
        root_[section].erase("additionalProperties");
        root_[section]["oneOf"] = Json::array();
        for (std::size_t i = 0; i < names.size(); ++i) {
            at_ = section / "oneOf" / i;
            root_[at_] = closed_object();
            if (i != index) root_[at_]["required"] = {key};
            put(key, {{"const", names[i]}}, names[i], meaning);
            describe(i);
        }
        at_ = section;
    }
    void begin_object(std::string_view key, const Meaning& meaning) override {
        Json section = closed_object();
        section["description"] = meaning.text;
        at_ = at_ / "properties" / std::string(key);
        root_[at_] = section;
    }
    void end_object() override { at_ = at_.parent_pointer().parent_pointer(); }

    static Json closed_object() {
        return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
    }

    static Json number(const char* type, const Range& range) {
        Json schema = {{"type", type}};
        if (std::isfinite(range.lower)) {
            schema[range.lower_excluded ? "exclusiveMinimum" : "minimum"] = bound(range.lower);
        }
        if (std::isfinite(range.upper)) {
            schema[range.upper_excluded ? "exclusiveMaximum" : "maximum"] = bound(range.upper);
        }
        return schema;
    }

    void put(std::string_view key, Json schema, const Json& value, const Meaning& meaning) {
        schema["default"] = value;
        schema["description"] = meaning.text;
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
    if (schema.contains("exclusiveMinimum")) {
        range.lower = schema["exclusiveMinimum"];
        range.lower_excluded = true;
    }
    if (schema.contains("maximum")) range.upper = schema["maximum"];
    if (schema.contains("exclusiveMaximum")) {
        range.upper = schema["exclusiveMaximum"];
        range.upper_excluded = true;
    }
    return schema["type"].get<std::string>() + (plural ? "s" : "") + bounds_text(range);
}

std::string values_words(const Json& schema) {
    for (const char* list : {"enum", "examples"}) {
        if (!schema.contains(list)) continue;
        std::string words;
        for (const Json& name : schema[list]) words += (words.empty() ? "" : ", ") + code(name);
        return words;
    }
    if (schema.contains("anyOf")) {
        return number_words(schema["anyOf"][0], false) + " or " + code(schema["anyOf"][1]["const"]);
    }
    const Json& type = schema["type"];
    if (type.is_array()) return "string or null";
    if (type == "boolean") return "true or false";
    if (type == "array") return "array of " + number_words(schema["items"], true);
    if (schema.value("maximum", Json()) == std::numeric_limits<std::uint64_t>::max()) return "integer from 0 to 2^64-1";
    return number_words(schema, false);
}

void add_row(const std::string& key, const std::string& values, const Json& schema, std::string& table) {
    table += "| " + key + " | " + values + " | " + code(schema["default"]) + " | " +
             schema["description"].get<std::string>() + " |\n";
}

void add_alternatives(const Json& alternatives, const std::string& prefix, std::string& table);

// `suffix` follows the name of the key.
void add_rows(const Json& properties, const std::string& prefix, const std::string& suffix, std::string& table) {
    for (const auto& [key, schema] : properties.items()) {
        if (schema.contains("oneOf")) {
            add_alternatives(schema["oneOf"], prefix + key + ".", table);
        } else if (schema.contains("properties")) {
            add_rows(schema["properties"], prefix + key + ".", suffix, table);
        } else if (!schema.contains("const")) {
            add_row("`" + prefix + key + "`" + suffix, values_words(schema), schema, table);
        }
    }
}

// One row for the key that selects the alternative (the first property of each), then the other keys.
void add_alternatives(const Json& alternatives, const std::string& prefix, std::string& table) {
    std::string names;
    Json chosen;
    for (const Json& alternative : alternatives) {
        const auto name = alternative["properties"].begin();
        names += (names.empty() ? "" : ", ") + code((*name)["const"]);
        if (!alternative.contains("required")) chosen = *name;
    }
    const auto& first = alternatives.front()["properties"];
    add_row("`" + prefix + first.begin().key() + "`", names, chosen, table);
    for (const Json& alternative : alternatives) {
        const auto& properties = alternative["properties"];
        add_rows(properties, prefix, " (" + properties.begin()->at("const").get<std::string>() + ")", table);
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
    add_rows(writer.properties(), "", "", table);
    return table;
}

}  // namespace residual
