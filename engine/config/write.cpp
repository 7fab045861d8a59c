#include "engine/config/write.h"

#include <algorithm>

#include "engine/config/parse.h"
#include "engine/core/error.h"

namespace residual {
namespace {

class Writer final : public Fields {
  public:
    explicit Writer(Fixed least) : least_(least) {}

    void get(std::string_view key, bool& value, const Meaning& meaning) override { put(key, value, meaning); }
    void get(std::string_view key, std::int64_t& value, const Range&, const Meaning& meaning) override {
        put(key, value, meaning);
    }
    void get(std::string_view key, std::uint64_t& value, const Meaning& meaning) override { put(key, value, meaning); }
    void get(std::string_view key, double& value, const Range&, const Meaning& meaning) override {
        put(key, value, meaning);
    }
    void get(std::string_view key, std::string& value, const Form&, const Meaning& meaning) override {
        put(key, value, meaning);
    }
    void get(std::string_view key, std::optional<std::string>& value, const Meaning& meaning) override {
        put(key, value ? Json(*value) : Json(), meaning);
    }
    void get(std::string_view key, std::vector<std::int64_t>& value, const Range&, const Meaning& meaning) override {
        put(key, value, meaning);
    }
    void get(std::string_view key, std::vector<double>& value, const Range&, const Meaning& meaning) override {
        put(key, value, meaning);
    }
    void get(std::string_view key, std::optional<std::int64_t>& value, const Range&, std::string_view word,
             const Meaning& meaning) override {
        put(key, value ? Json(*value) : Json(word), meaning);
    }
    void obsolete(std::string_view, std::string_view) override {}
    void check(std::string_view, bool, const std::string&) override {}

    const Json& root() const { return root_; }

  private:
    void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                const Meaning& meaning) override {
        put(key, names[index], meaning);
    }
    void alternatives(std::string_view key, std::size_t index, std::span<const std::string_view> names,
                      const Meaning& meaning, const std::function<void(std::size_t)>& describe) override {
        put(key, names[index], meaning);
        describe(index);
    }
    void begin_object(std::string_view key, const Meaning& meaning) override {
        at_.push_back(std::string(key));
        fixed_.push_back(std::max(fixed_.back(), meaning.fixed));
    }
    void end_object() override {
        at_.pop_back();
        fixed_.pop_back();
    }

    void put(std::string_view key, const Json& value, const Meaning& meaning) {
        if (std::max(fixed_.back(), meaning.fixed) >= least_) root_[at_ / std::string(key)] = value;
    }

    Fixed least_;
    std::vector<Fixed> fixed_ = {Fixed::nowhere};  // of each open object
    Json root_ = Json::object();
    Json::json_pointer at_;
};

}  // namespace

std::string write_config(const Describe& describe, Fixed least) {
    Writer writer(least);
    describe(writer);
    try {
        return writer.root().dump(4) + "\n";
    } catch (const Json::type_error&) {
        throw InputError("a string in the configuration is not UTF-8: " + shorten(writer.root()));
    }
}

}  // namespace residual
