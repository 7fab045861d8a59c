#include "engine/config/write.h"

#include "engine/config/parse.h"
#include "engine/core/error.h"

namespace engine {
namespace {

class Writer final : public Fields {
  public:
    void get(std::string_view key, bool& value, std::string_view) override { put(key, value); }
    void get(std::string_view key, std::int64_t& value, const Range&, std::string_view) override { put(key, value); }
    void get(std::string_view key, std::uint64_t& value, std::string_view) override { put(key, value); }
    void get(std::string_view key, double& value, const Range&, std::string_view) override { put(key, value); }
    void get(std::string_view key, std::optional<std::string>& value, std::string_view) override {
        put(key, value ? Json(*value) : Json());
    }
    void get(std::string_view key, std::vector<std::int64_t>& value, const Range&, std::string_view) override {
        put(key, value);
    }
    void get(std::string_view key, std::vector<double>& value, const Range&, std::string_view) override {
        put(key, value);
    }
    void check(std::string_view, bool, const std::string&) override {}

    const Json& root() const { return root_; }

  private:
    void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                std::string_view) override {
        put(key, names[index]);
    }
    void begin_object(std::string_view key, std::string_view) override {
        put(key, Json::object());
        at_.push_back(std::string(key));
    }
    void end_object() override { at_.pop_back(); }

    void put(std::string_view key, const Json& value) { root_[at_ / std::string(key)] = value; }

    Json root_ = Json::object();
    Json::json_pointer at_;
};

}  // namespace

std::string write_config(const Describe& describe) {
    Writer writer;
    describe(writer);
    try {
        return writer.root().dump(4) + "\n";
    } catch (const Json::type_error&) {
        throw InputError("a text of the configuration is not UTF-8: " + shorten(writer.root()));
    }
}

}  // namespace engine
