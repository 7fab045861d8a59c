// Strict JSON parsing: rejects input that a lenient parser accepts silently.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace residual {

// Keeps the keys in order, so that a configuration is written in the order of its description.
using Json = nlohmann::ordered_json;

// Maximum number of keys per object. Real configurations have fewer than ten; lookup is linear.
constexpr std::size_t kMaxKeys = 1000;

// Maximum nesting depth of objects and arrays.
constexpr std::size_t kMaxDepth = 32;

// Throws InputError with `source` and either line and column or JSON pointer for: empty text, a byte order mark,
// invalid JSON or UTF-8, a number outside the range of double, a duplicate key, more than kMaxDepth levels, an object
// with more than kMaxKeys keys.
Json parse_json(std::string_view text, const std::string& source);

// The value as ASCII JSON for messages, truncated if long.
std::string shorten(const Json& value);

}  // namespace residual
