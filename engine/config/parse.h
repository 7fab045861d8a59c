// JSON text to a value, strictly: what a lenient parser lets pass in silence is refused here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace residual {

// Keeps the order of the keys, so that a written configuration reads in the order of its description.
using Json = nlohmann::ordered_json;

// Keys that one object may have: an object of a configuration has fewer than ten, and a search through many is slow.
constexpr std::size_t kMostKeys = 1000;

// Levels of objects and arrays, one in the other, that a configuration may have.
constexpr std::size_t kDeepestLevel = 32;

// Refuses, with `source` and line and column or JSON pointer: an empty text, a byte order mark, what is not JSON or not
// UTF-8, a number beyond double precision's range, a key that stands twice in one object, more than
// kDeepestLevel levels, an object of more than kMostKeys keys.
Json parse_json(std::string_view text, const std::string& source);

// The value as JSON in ASCII, cut where it is long: for messages.
std::string shorten(const Json& value);

}  // namespace residual
