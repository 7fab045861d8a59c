// A configuration file with the --set overrides of the command line laid over it; each value knows where it came from.
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

    // `source` is the file's name as messages show it.
    Document(std::string_view text, const std::string& source);

    // "key.path=value": the value is JSON, or else taken as a string. An object is merged key by key; all else
    // replaces what the file says. Messages call it by its source, "--set", and its text. Refuses a key that an earlier
    // override has given.
    void set(const std::string& override_text, const std::string& source);

    // Each key of the document must be one of `known`, which holds every key with some value.
    void refuse_unknown_keys(const Json& known) const;

    const Json& root() const { return root_; }
    // Null where the key is not given; absent objects count as empty.
    const Json* find(const Pointer& at) const { return root_.contains(at) ? &root_.at(at) : nullptr; }
    // Which of `names` is given there; `otherwise` where nothing is. Refuses all else.
    std::size_t find_word(const Pointer& at, std::span<const std::string_view> names, std::size_t otherwise) const;

    // Ends in the exception: "<file or --set>: <pointer>: <message>".
    [[noreturn]] void refuse(const Pointer& at, const std::string& message) const;

  private:
    void merge(Json& target, const Json& value, const Pointer& at, const std::string& place);

    std::string source_;
    Json root_;
    std::map<std::string, std::string> places_;  // JSON pointer -> the --set that gave the value
    std::set<std::string> overridden_;           // the pointers of the values that a --set gave
};

}  // namespace residual
