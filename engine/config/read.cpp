#include "engine/config/read.h"

#include <cerrno>
#include <concepts>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/config/document.h"
#include "engine/core/error.h"
#include "engine/core/home.h"

namespace residual {
namespace {

constexpr const char* kSchemaKey = "$schema";

class Reader final : public Fields {
    using Pointer = Document::Pointer;

  public:
    explicit Reader(const Document& document) : document_(document) {}

    // Visits the description twice: to collect the known keys, so that an unknown key is reported before any error that
    // follows from it, then to read the values. Which keys are known depends on the alternatives that the document
    // selects.
    void read(const Describe& describe) {
        describe(*this);
        known_[kSchemaKey] = nullptr;
        document_.refuse_unknown_keys(known_);
        collecting_ = false;
        describe(*this);
    }

    void get(std::string_view key, bool& value, const Meaning&) override {
        if (const Json* given = find(key)) {
            if (!given->is_boolean()) refuse(key, "true or false", *given);
            value = given->get<bool>();
        }
    }
    void get(std::string_view key, std::int64_t& value, const Range& range, const Meaning&) override {
        if (const Json* given = find(key)) value = number<std::int64_t>(*given, range, at_ / std::string(key));
    }
    void get(std::string_view key, std::uint64_t& value, const Meaning&) override {
        if (const Json* given = find(key)) {
            if (!given->is_number_unsigned()) refuse(key, "an integer from 0 to 18446744073709551615", *given);
            value = given->get<std::uint64_t>();
        }
    }
    void get(std::string_view key, double& value, const Range& range, const Meaning&) override {
        if (const Json* given = find(key)) value = number<double>(*given, range, at_ / std::string(key));
    }
    void get(std::string_view key, std::string& value, const Form& form, const Meaning&) override {
        const Json* given = find(key);
        if (given == nullptr) return;
        const auto* text = given->get_ptr<const std::string*>();
        if (text == nullptr || !form.fits(*text)) {
            std::string examples;
            for (const std::string_view example : form.examples) {
                examples += (examples.empty() ? "" : ", ") + Json(example).dump();
            }
            refuse(key, "a name such as " + examples, *given);
        }
        value = *text;
    }
    void get(std::string_view key, std::optional<std::string>& value, const Meaning&) override {
        const Json* given = find(key);
        if (given == nullptr) return;
        if (given->is_null()) {
            value.reset();
            return;
        }
        const auto* text = given->get_ptr<const std::string*>();
        if (text == nullptr || text->empty() || text->find('\0') != text->npos) {
            refuse(key, "a non-empty string or null", *given);
        }
        try {
            value = expand_home(*text);
        } catch (const InputError& error) {
            document_.refuse(at_ / std::string(key), error.what());
        }
    }
    void get(std::string_view key, std::vector<std::int64_t>& value, const Range& range, const Meaning&) override {
        numbers(key, value, range, "an array of integers");
    }
    void get(std::string_view key, std::vector<double>& value, const Range& range, const Meaning&) override {
        numbers(key, value, range, "an array of numbers");
    }
    void get(std::string_view key, std::optional<std::int64_t>& value, const Range& range, std::string_view word,
             const Meaning&) override {
        const Json* given = find(key);
        if (given == nullptr) return;
        if (given->is_string() && given->get_ref<const std::string&>() == word) {
            value.reset();
        } else {
            value = number<std::int64_t>(*given, range, at_ / std::string(key), " or \"" + std::string(word) + "\"");
        }
    }
    void obsolete(std::string_view key, std::string_view value) override {
        if (find(key)) document_.find_choice(at_ / std::string(key), {&value, 1}, 0);
    }
    void check(std::string_view key, bool holds, const std::string& message) override {
        if (!holds && !collecting_) document_.refuse(at_ / std::string(key), message);
    }

  private:
    void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                const Meaning&) override {
        if (find(key)) index = document_.find_choice(at_ / std::string(key), names, index);
    }
    void alternatives(std::string_view key, std::size_t index, std::span<const std::string_view> names, const Meaning&,
                      const std::function<void(std::size_t)>& describe) override {
        find(key);
        describe(document_.find_choice(at_ / std::string(key), names, index));
    }
    void begin_object(std::string_view key, const Meaning&) override {
        const Json* given = find(key);
        if (given != nullptr && !given->is_object()) refuse(key, "an object {...}", *given);
        at_.push_back(std::string(key));
    }
    void end_object() override { at_.pop_back(); }

    // The value given for `key`; null if none is given or keys are being collected.
    const Json* find(std::string_view key) {
        if (!collecting_) return document_.find(at_ / std::string(key));
        known_[at_ / std::string(key)] = nullptr;
        return nullptr;
    }

    // 128.0 is not accepted as an integer.
    template <class Number>
    Number number(const Json& given, const Range& range, const Pointer& at, const std::string& or_else = "") const {
        bool fits = given.is_number();
        if constexpr (std::integral<Number>) {
            fits = given.is_number_integer() &&
                   !(given.is_number_unsigned() &&
                     given.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<Number>::max()));
        }
        if (!fits || !range.contains(given.get<double>())) {
            const std::string kind = std::integral<Number> ? "an integer" : "a number";
            document_.refuse(at, "expected " + kind + bounds_text(range) + or_else + ", got " + shorten(given));
        }
        return given.get<Number>();
    }

    template <class Number>
    void numbers(std::string_view key, std::vector<Number>& value, const Range& range, const std::string& expected) {
        const Json* given = find(key);
        if (given == nullptr) return;
        if (!given->is_array()) refuse(key, expected, *given);
        value.clear();
        for (const Json& element : *given) {
            value.push_back(number<Number>(element, range, at_ / std::string(key) / value.size()));
        }
    }

    [[noreturn]] void refuse(std::string_view key, const std::string& expected, const Json& given) const {
        document_.refuse(at_ / std::string(key), "expected " + expected + ", got " + shorten(given));
    }

    const Document& document_;
    Pointer at_;
    bool collecting_ = true;
    Json known_ = Json::object();
};

}  // namespace

void read_config(const Describe& describe, std::string_view text, const std::string& source,
                 std::span<const std::string> overrides, const std::string& override_source) {
    Document document(text, source);
    for (const std::string& override_text : overrides) document.set(override_text, override_source);
    Reader(document).read(describe);
}

std::string read_config_file(const std::string& path) {
    constexpr std::size_t kLargest = 1 << 20;
    std::error_code ignored;
    // Opening a pipe without a writer would block forever.
    if (std::filesystem::is_other(path, ignored)) throw InputError(path + ": cannot be read: not a regular file");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(kLargest + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) {
        throw InputError(path + ": cannot be read: " + std::strerror(errno != 0 ? errno : EIO));
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kLargest) throw InputError(path + ": exceeds 1 MiB; is it a configuration file?");
    return text;
}

}  // namespace residual
