// A configuration file merged with the --set overrides of the command line. Records the origin of every value.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "engine/config/parse.h"

namespace residual {

class Document {
  public:
    using Pointer = Json::json_pointer;

    // `source` names the file in messages.
    Document(std::string_view text, const std::string& source);

    // Applies "key.path=value". A value that is not JSON is taken as a string. Objects are merged key by key; any other
    // value replaces the file's. Messages name the override by `source` ("--set") and its text. Rejects a key that an
    // earlier override has set.
    void set(const std::string& override_text, const std::string& source);

    // Throws InputError unless every key of the document is in `known`, whose values are ignored.
    void refuse_unknown_keys(const Json& known) const;

    const Json& root() const { return root_; }
    // Null if the key is not given, also if an enclosing object is missing.
    const Json* find(const Pointer& at) const { return root_.contains(at) ? &root_.at(at) : nullptr; }
    // The index of the value at `at` in `names`; `otherwise` if the key is not given. Refuses a value that is not in
    // `names`.
    std::size_t find_choice(const Pointer& at, std::span<const std::string_view> names, std::size_t otherwise) const;

    // Throws InputError("<file or --set>: <pointer>: <message>").
    [[noreturn]] void refuse(const Pointer& at, const std::string& message) const;

  private:
    void merge(Json& target, const Json& value, const Pointer& at, const std::string& place);

    std::string source_;
    Json root_;
    std::map<std::string, std::string> places_;  // JSON pointer -> the override that introduced it
    std::set<std::string> overridden_;           // JSON pointers of the values set by overrides
};

}  // namespace residual
