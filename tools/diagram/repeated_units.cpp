#include "tools/diagram/repeated_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <variant>

namespace residual::tools {

namespace {

using Operation = Trace::Operation;

// The operation that makes a value, as a unit and a position in it.
struct Place {
    size_t unit, position;
    bool operator==(const Place&) const = default;
};

struct Unit {
    std::string name;
    std::vector<size_t> operations;
    std::string signature;          // Equal for units with the same operations, shapes and connections.
    std::vector<Place> sources;     // What makes the values that it reads, in the order in which it reads them.
    bool reads_input = false;       // It reads the input of the network.
    std::set<size_t> reader_units;  // Other units that read its results; kOutside stands for anything else.
};

constexpr size_t kOutside = static_cast<size_t>(-1);

std::string text_of(const Attribute& attribute) {
    return std::visit([](const auto& value) { return fmt::format("{}", value); }, attribute);
}

class Finder {
  public:
    Finder(const Graph& graph, const std::vector<std::string>& units) : graph_(graph) {
        std::map<std::string, size_t> numbers;
        for (size_t i = 0; i < graph.operations.size(); ++i) {
            Place place{kOutside, i};
            if (!units[i].empty()) {
                const auto [entry, added] = numbers.try_emplace(units[i], units_.size());
                if (added) units_.push_back({units[i], {}, "", {}, false, {}});
                place = {entry->second, units_[entry->second].operations.size()};
                units_[place.unit].operations.push_back(i);
            }
            for (const auto& output : graph.operations[i].outputs) makers_[output.value] = place;
            for (const auto& input : graph.operations[i].inputs) note_reader(input.value, place.unit);
        }
        note_reader(graph.output, kOutside);
        for (size_t i = 0; i < units_.size(); ++i) describe(i);
    }

    RepeatedUnits find() const {
        RepeatedUnits found;
        found.representative.resize(graph_.operations.size());
        std::iota(found.representative.begin(), found.representative.end(), size_t{0});
        for (size_t first = 0, end = 0; first < units_.size(); first = end) {
            for (end = first + 1; end < units_.size() && continues(first, end); ++end) {
                for (size_t i = 0; i < units_[end].operations.size(); ++i) {
                    found.representative[units_[end].operations[i]] = units_[first].operations[i];
                }
            }
            for (size_t unit = first; end - first > 1 && unit < end; ++unit) {
                found.rows[units_[first].name].push_back(units_[unit].name);
            }
        }
        return found;
    }

  private:
    void note_reader(size_t value, size_t reader) {
        const auto maker = makers_.find(value);
        if (maker == makers_.end() || maker->second.unit == kOutside || maker->second.unit == reader) return;
        units_[maker->second.unit].reader_units.insert(reader);
    }

    void describe(size_t number) {
        Unit& unit = units_[number];
        std::vector<size_t> external;  // Values from outside, in the order in which they are first read.
        for (const size_t index : unit.operations) {
            const Operation& operation = graph_.operations[index];
            unit.signature += operation.name;
            for (const auto& [name, value] : operation.attributes) {
                unit.signature += fmt::format(" {}={}", name, text_of(value));
            }
            for (const auto& input : operation.inputs) {
                unit.signature += fmt::format(" {}:{}", input.role, graph_.value(input).shape.to_string());
                if (graph_.value(input).name.empty()) unit.signature += source_of(input.value, number, external);
            }
            for (const auto& output : operation.outputs) {
                unit.signature += fmt::format(" {}:{}", output.role, graph_.value(output).shape.to_string());
            }
            unit.signature += '\n';
        }
        for (const size_t value : external) {
            const auto maker = makers_.find(value);
            unit.reads_input |= maker == makers_.end();
            if (maker != makers_.end()) unit.sources.push_back(maker->second);
        }
    }

    std::string source_of(size_t value, size_t unit, std::vector<size_t>& external) const {
        const auto maker = makers_.find(value);
        if (maker != makers_.end() && maker->second.unit == unit) return fmt::format(" op{}", maker->second.position);
        auto known = std::ranges::find(external, value);
        if (known == external.end()) known = external.insert(external.end(), value);
        return fmt::format(" from{}", known - external.begin());
    }

    // Whether units `first` to `end` - 1, which are in a row, and `end` are.
    bool continues(size_t first, size_t end) const {
        const Unit &unit = units_[end], &before = units_[end - 1];
        if (unit.signature != units_[first].signature || parent_of(unit.name) != parent_of(before.name)) return false;
        if (unit.reads_input || before.reader_units != std::set<size_t>{end}) return false;
        const bool reads_only_before =
            std::ranges::all_of(unit.sources, [&](const Place& source) { return source.unit == end - 1; });
        if (!reads_only_before) return false;
        const auto positions = [](const Unit& of) {
            std::vector<size_t> list;
            for (const Place& source : of.sources) list.push_back(source.position);
            return list;
        };
        return end - first == 1 || positions(unit) == positions(before);
    }

    const Graph& graph_;
    std::vector<Unit> units_;
    std::map<size_t, Place> makers_;  // By value.
};

}  // namespace

RepeatedUnits find_repeated_units(const Graph& graph, const std::vector<std::string>& units) {
    return Finder(graph, units).find();
}

}  // namespace residual::tools
