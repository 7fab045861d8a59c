// A configuration struct lists its keys once, in describe(Fields&). Reading, writing, comparing with a checkpoint, the
// JSON Schema and the table of keys are visitors of that description.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace residual {

// The valid numbers of a key; the bounds are inclusive unless excluded.
struct Range {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    bool upper_excluded = false, lower_excluded = false;

    bool contains(double value) const {
        return (lower_excluded ? value > lower : value >= lower) && (upper_excluded ? value < upper : value <= upper);
    }
};

// With a leading space, for messages: " >= 1", " from 0 to 16", " >= 0 and < 1"; empty if unbounded.
std::string bounds_text(const Range& range);

inline Range at_least(double lower) {
    return {.lower = lower};
}
inline Range above(double lower) {
    return {.lower = lower, .lower_excluded = true};
}
inline Range between(double lower, double upper) {
    return {.lower = lower, .upper = upper};
}
inline Range at_least_and_below(double lower, double upper) {
    return {.lower = lower, .upper = upper, .upper_excluded = true};
}

// The valid texts of a key.
struct Form {
    bool (*fits)(const std::string& text);
    std::string_view pattern;                    // The same as a regular expression, for the JSON Schema.
    std::span<const std::string_view> examples;  // For messages and documentation.
};

// An enum class with a name for each enumerator. A function names_of(), found by argument-dependent lookup, returns
// them in order, from enumerator 0:
//     constexpr auto names_of(Block) { return std::array<std::string_view, 2>{"preact", "postact"}; }
template <class Enum>
concept Vocabulary = std::is_enum_v<Enum> && requires(Enum value) {
    names_of(value).size();
};

template <Vocabulary Enum>
std::string_view name_of(Enum value) {
    return names_of(value).at(static_cast<std::size_t>(value));
}

// Says when a key must keep the value with which a checkpoint was trained.
enum class Fixed {
    nowhere,
    run,      // when the run is resumed
    network,  // whenever the checkpoint's weights are used
};

// Help text of a key. `fixed` on an object applies to all its keys.
struct Meaning {
    Meaning(const char* text, Fixed fixed = Fixed::nowhere) : text(text), fixed(fixed) {}

    std::string_view text;
    Fixed fixed;
};
inline Meaning fixed_in_run(const char* text) {
    return {text, Fixed::run};
}
inline Meaning fixed_in_network(const char* text) {
    return {text, Fixed::network};
}

// A visitor. `value` holds the default; a reader replaces it if the key is given.
class Fields {
  public:
    virtual ~Fields() = default;

    virtual void get(std::string_view key, bool& value, const Meaning& meaning) = 0;
    virtual void get(std::string_view key, std::int64_t& value, const Range& range, const Meaning& meaning) = 0;
    virtual void get(std::string_view key, std::uint64_t& value, const Meaning& meaning) = 0;
    virtual void get(std::string_view key, double& value, const Range& range, const Meaning& meaning) = 0;
    virtual void get(std::string_view key, std::string& value, const Form& form, const Meaning& meaning) = 0;
    // The path of a file or folder, or null. A reader expands a leading `~` (engine/core/home.h).
    virtual void get(std::string_view key, std::optional<std::string>& value, const Meaning& meaning) = 0;
    // `range` applies to each element.
    virtual void get(std::string_view key, std::vector<std::int64_t>& value, const Range& range,
                     const Meaning& meaning) = 0;
    virtual void get(std::string_view key, std::vector<double>& value, const Range& range, const Meaning& meaning) = 0;

    // An integer in `range`, or the string `word`, which is stored as std::nullopt.
    virtual void get(std::string_view key, std::optional<std::int64_t>& value, const Range& range,
                     std::string_view word, const Meaning& meaning) = 0;

    template <Vocabulary Enum>
    void get(std::string_view key, Enum& value, const Meaning& meaning) {
        static constexpr auto names = names_of(Enum{});
        auto index = static_cast<std::size_t>(value);
        choose(key, index, names, meaning);
        value = static_cast<Enum>(index);
    }

    // One of `names`, for names known only at run time; `value` is one of them.
    void get(std::string_view key, std::string& value, std::span<const std::string_view> names,
             const Meaning& meaning) {
        auto index = static_cast<std::size_t>(std::find(names.begin(), names.end(), value) - names.begin());
        choose(key, index, names, meaning);
        value = names[index];
    }

    template <class Config>
    void object(std::string_view key, Config& value, const Meaning& meaning) {
        begin_object(key, meaning);
        value.describe(*this);
        end_object();
    }

    // An object in which the value of `key` selects one of Configs by its kFamily. The selected struct describes the
    // other keys.
    template <class... Configs>
    void one_of(std::string_view key, std::variant<Configs...>& value, const Meaning& meaning) {
        static constexpr std::array<std::string_view, sizeof...(Configs)> names{Configs::kFamily...};
        static constexpr std::array<std::variant<Configs...> (*)(), sizeof...(Configs)> defaults{
            [] { return std::variant<Configs...>(Configs{}); }...};
        alternatives(key, value.index(), names, meaning, [this, &value](std::size_t index) {
            if (index != value.index()) value = defaults[index]();
            std::visit([this](auto& config) { config.describe(*this); }, value);
        });
    }

    // A key of older configurations whose only valid value was `value`: still accepted, no longer written.
    virtual void obsolete(std::string_view key, std::string_view value) = 0;

    // A condition that no range expresses, such as one between keys. If it is false, a reader rejects the value of
    // `key` with `message`.
    virtual void check(std::string_view key, bool holds, const std::string& message) = 0;

  protected:
    virtual void choose(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                        const Meaning& meaning) = 0;
    // Calls `describe` with the index of each alternative to visit; that alternative becomes the value. `index` is the
    // current one.
    virtual void alternatives(std::string_view key, std::size_t index, std::span<const std::string_view> names,
                              const Meaning& meaning, const std::function<void(std::size_t)>& describe) = 0;
    virtual void begin_object(std::string_view key, const Meaning& meaning) = 0;
    virtual void end_object() = 0;
};

// Describes a whole configuration: [&](Fields& fields) { experiment.describe(fields); }
using Describe = std::function<void(Fields&)>;

}  // namespace residual
