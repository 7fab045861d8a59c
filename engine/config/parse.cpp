#include "engine/config/parse.h"

#include <algorithm>
#include <set>
#include <vector>

#include "engine/core/error.h"

namespace residual {
namespace {

// A SAX pass before the actual parse: it reports the position of every error, which the library's exceptions do not
// always do, and detects duplicate keys, which the library drops silently.
class StrictCheck : public nlohmann::json_sax<Json> {
  public:
    StrictCheck(std::string_view text, const std::string& source) : text_(text), source_(source) {}

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }
    bool start_array(std::size_t) override { return open(false); }
    bool end_array() override { return close(); }
    bool start_object(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }

    bool key(string_t& name) override {
        levels_.back().name = name;
        if (!levels_.back().names.insert(name).second) {
            throw InputError(source_ + ": " + pointer() + ": this key appears twice; keep one");
        }
        if (levels_.back().names.size() > kMaxKeys) {
            throw InputError(source_ + ": " + pointer() + ": the object has more than " + std::to_string(kMaxKeys) +
                             " keys");
        }
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        const std::string_view before = text_.substr(0, std::min(position, text_.size()));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const std::size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
        const std::size_t column = std::max<std::size_t>(before.size() - line_start, 1);
        throw InputError(source_ + ":" + std::to_string(line) + ":" + std::to_string(column) +
                         ": invalid JSON: " + reason(error.what()));
    }

  private:
    struct Level {
        bool is_object;
        std::set<std::string> names;
        std::string name;
        std::size_t index = 0;
    };

    bool value() {
        if (!levels_.empty()) ++levels_.back().index;
        return true;
    }

    bool open(bool is_object) {
        if (levels_.size() == kMaxDepth) {
            throw InputError(source_ + ": " + pointer() + ": nested more than " + std::to_string(kMaxDepth) +
                             " levels deep");
        }
        levels_.push_back({.is_object = is_object, .names = {}, .name = {}});
        return true;
    }

    bool close() {
        levels_.pop_back();
        return value();
    }

    std::string pointer() const {
        Json::json_pointer path;
        for (const Level& level : levels_) path.push_back(level.is_object ? level.name : std::to_string(level.index));
        return path.to_string();
    }

    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." -> "syntax error ..."
    static std::string reason(std::string message) {
        if (const auto end = message.find("] "); end != message.npos) message.erase(0, end + 2);
        if (message.rfind("parse error", 0) == 0) {
            if (const auto end = message.find(": "); end != message.npos) message.erase(0, end + 2);
        }
        return message;
    }

    std::string_view text_;
    const std::string& source_;
    std::vector<Level> levels_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
    if (text.find_first_not_of(" \t\r\n") == text.npos) {
        throw InputError(source + ": empty; the smallest valid configuration is {}");
    }
    for (const std::string_view mark : {"\xEF\xBB\xBF", "\xFE\xFF", "\xFF\xFE"}) {
        if (text.substr(0, mark.size()) == mark) {
            throw InputError(source + ": starts with a byte order mark; save it as UTF-8 without one");
        }
    }
    StrictCheck check(text, source);
    Json::sax_parse(text, &check);
    return Json::parse(text);
}

std::string shorten(const Json& value) {
    constexpr std::size_t kLongest = 60;
    std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
    if (text.size() > kLongest) text.replace(kLongest, text.npos, "...");
    return text;
}

}  // namespace residual
