#include "engine/config/document.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/core/error.h"

namespace residual {
namespace {

// Insertions, deletions and substitutions of one character, and exchanges of two adjacent ones.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    // The work is the product of the lengths, and no key is close to a name this long.
    constexpr std::size_t kLongest = 1000;
    if (a.size() > kLongest) return a.size();
    // The distances between the first i characters of `a` and all beginnings of `b`, for i and the two before it.
    std::vector<std::size_t> row(b.size() + 1), above(b.size() + 1), second_above(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(second_above, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (exchanged) row[j] = std::min(row[j], second_above[j - 2] + 1);
        }
    }
    return row[b.size()];
}

struct Nearest {
    std::string pointer;
    std::size_t distance = std::numeric_limits<std::size_t>::max();
};

// Compares names, of which at most a third may differ; on a tie, a key of the same object wins.
void find_nearest(const Document::Pointer& unknown, const Json& known, const Document::Pointer& at, Nearest& nearest) {
    for (const auto& [key, value] : known.items()) {
        const Document::Pointer candidate = at / key;
        const std::string& name = unknown.back();
        const std::size_t edits = edit_distance(name, key);
        const std::size_t elsewhere = at == unknown.parent_pointer() ? 0 : 1;
        const std::size_t distance = 2 * edits + elsewhere;
        if (3 * edits <= std::max(name.size(), key.size()) && distance < nearest.distance) {
            nearest = {candidate.to_string(), distance};
        }
        if (value.is_object()) find_nearest(unknown, value, candidate, nearest);
    }
}

// Names that other frameworks use, and the key that serves the purpose here.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {
    {"lr", "/schedule/values"},
    {"learning_rate", "/schedule/values"},
    {"milestones", "/schedule/boundaries"},
    {"epochs", "/train/steps"},
    {"max_epochs", "/train/steps"},
    {"iterations", "/train/steps"},
    {"batch", "/train/batch_size"},
    {"amp", "/train/precision"},
    {"wd", "/optimizer/weight_decay"},
    {"l2", "/optimizer/weight_decay"},
    {"layers", "/model/depth"},
    {"arch", "/model/family"},
    {"dataset", "/data/format"},
    {"data_dir", "/data/dir"},
    {"output_dir", "/run/dir"},
};

// For the message about an unknown key.
std::string suggestion(const Document::Pointer& unknown, const Json& known) {
    for (const auto& [name, key] : kOtherNames) {
        if (unknown.back() == name && known.contains(Document::Pointer(key))) {
            return std::string("the corresponding key is ") + key;
        }
    }
    Nearest nearest;
    find_nearest(unknown, known, Document::Pointer{}, nearest);
    return nearest.pointer.empty() ? "configs/README.md lists the keys" : "the nearest known key is " + nearest.pointer;
}

void check_keys(const Document& document, const Json& given, const Json& known, const Document::Pointer& at,
                const Json& all_known) {
    for (const auto& [key, value] : given.items()) {
        if (!known.contains(key)) document.refuse(at / key, "unknown key; " + suggestion(at / key, all_known));
        if (value.is_object() && known[key].is_object()) {
            check_keys(document, value, known[key], at / key, all_known);
        }
    }
}

Json parse_override_value(const std::string& text, const std::string& place) {
    try {
        return parse_json(text, place);
    } catch (const InputError&) {
        Json value = text;
        try {
            value.dump();
        } catch (const Json::type_error&) {
            throw InputError(place + ": the value is not UTF-8");
        }
        return value;
    }
}

}  // namespace

Document::Document(std::string_view text, const std::string& source)
    : source_(source), root_(parse_json(text, source)) {
    if (!root_.is_object()) throw InputError(source + ": expected an object {...}, got " + shorten(root_));
}

void Document::set(const std::string& override_text, const std::string& source) {
    const std::string place = source + " " + override_text;
    const std::size_t equals = override_text.find('=');
    if (equals == override_text.npos || equals == 0) {
        throw InputError(place + ": expected key.path=value, such as train.steps=1000");
    }
    std::vector<std::string> keys(1);
    for (const char character : override_text.substr(0, equals)) {
        if (character == '.') {
            keys.emplace_back();
        } else {
            keys.back() += character;
        }
    }
    if (keys.size() > kMaxDepth) {
        throw InputError(place + ": the key is nested more than " + std::to_string(kMaxDepth) + " levels deep");
    }
    Json patch = parse_override_value(override_text.substr(equals + 1), place);
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) patch = Json::object({{*key, patch}});
    merge(root_, patch, Pointer{}, place);
}

void Document::merge(Json& target, const Json& value, const Pointer& at, const std::string& place) {
    if (value.is_object() && target.is_object()) {
        for (const auto& [key, part] : value.items()) {
            if (!target.contains(key)) {
                target[key] = part.is_object() ? Json::object() : Json();
                places_[(at / key).to_string()] = place;
            }
            merge(target[key], part, at / key, place);
        }
        return;
    }
    if (value.is_object()) {
        throw InputError(place + ": " + at.to_string() + " is " + shorten(target) + ", not an object");
    }
    if (!overridden_.insert(at.to_string()).second) {
        throw InputError(place + ": " + at.to_string() + ": given twice on the command line; keep one");
    }
    target = value;
    places_[at.to_string()] = place;
}

void Document::refuse_unknown_keys(const Json& known) const {
    check_keys(*this, root_, known, Pointer{}, known);
}

std::size_t Document::find_choice(const Pointer& at, std::span<const std::string_view> names,
                                  std::size_t otherwise) const {
    const Json* given = find(at);
    if (given == nullptr) return otherwise;
    const auto found =
        given->is_string() ? std::find(names.begin(), names.end(), given->get_ref<const std::string&>()) : names.end();
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string expected;
    for (const std::string_view name : names) {
        expected += (expected.empty() ? "\"" : " or \"") + std::string(name) + "\"";
    }
    refuse(at, "expected " + expected + ", got " + shorten(*given));
}

void Document::refuse(const Pointer& at, const std::string& message) const {
    std::string place = source_;
    for (Pointer origin = at; !origin.empty(); origin = origin.parent_pointer()) {
        if (const auto found = places_.find(origin.to_string()); found != places_.end()) {
            place = found->second;
            break;
        }
    }
    throw InputError(place + ": " + at.to_string() + ": " + message);
}

}  // namespace residual
