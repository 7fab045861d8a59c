#include "tools/diagram/diagram.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tools/diagram/cost.h"
#include "tools/diagram/node_label.h"
#include "tools/diagram/repeated_units.h"

namespace residual::tools {

namespace {

using Operation = Trace::Operation;

constexpr const char* kStyle =
    "  graph [fontname=\"Helvetica,Arial,sans-serif\", fontsize=20, labelloc=t, newrank=true, nodesep=0.35, "
    "ranksep=0.25];\n"
    "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=13, shape=box, style=\"rounded,filled\", "
    "fillcolor=white, height=0.3, margin=\"0.12,0.05\"];\n"
    "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, arrowsize=0.7];\n";

// "[32, 32, 16]" for [1, 32, 32, 16].
std::string size_of(const Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape.extents().begin() + 1, shape.extents().end(), ", "));
}

std::string escaped(const std::string& text, const char* line_break) {
    std::string escaped;
    for (const char c : text) {
        if (c == '"' || c == '\\') escaped += '\\';
        if (c == '\n') {
            escaped += line_break;
        } else {
            escaped += c;
        }
    }
    return escaped;
}

std::string quoted(const std::string& text) {
    return '"' + escaped(text, "\\n") + '"';
}

// With each line aligned on the left.
std::string left_aligned(const std::string& text) {
    return '"' + escaped(text + '\n', "\\l") + '"';
}

class Drawing {
  public:
    Drawing(const Graph& graph, bool fold_units) : graph_(graph), units_(units_of(graph)) {
        repeated_ = find_repeated_units(graph, units_);
        if (!fold_units) {
            std::iota(repeated_.representative.begin(), repeated_.representative.end(), size_t{0});
            repeated_.rows.clear();
        }
        for (size_t i = 0; i < graph.operations.size(); ++i) {
            by_unit_[units_[i]].push_back(i);
            for (const auto& output : graph.operations[i].outputs) makers_[output.value] = i;
        }
    }

    std::string text(const std::string& title) {
        std::vector<size_t> all(graph_.operations.size());
        std::iota(all.begin(), all.end(), size_t{0});
        out_ = fmt::format("digraph network {{\n{}", kStyle);
        line("  label={};", quoted(fmt::format("{}\n{} per image\n ", title, cost_of(graph_, all).text())));
        line("  input [shape=ellipse, label=\"images\"];");
        line("  output [shape=ellipse, label=\"logits\"];");
        draw_nodes();
        draw_edges();
        if (!entries_.empty()) align_columns();
        draw_legend();
        return out_ + "}\n";
    }

  private:
    template <class... T>
    void line(fmt::format_string<T...> format, T&&... arguments) {
        out_ += fmt::format(format, std::forward<T>(arguments)...) + '\n';
    }

    bool is_drawn(size_t operation) const { return repeated_.representative[operation] == operation; }

    // Units and the groups that they are in ("stages.0") are boxes, in the order of their first operations.
    void draw_nodes() {
        std::string group;
        std::set<std::string> drawn;
        for (size_t i = 0; i < graph_.operations.size(); ++i) {
            const std::string& unit = units_[i];
            if (!is_drawn(i) || (!unit.empty() && !drawn.insert(unit).second)) continue;
            const std::string next = parent_of(unit);
            if (next != group && !group.empty()) line("  }}");
            if (next != group && !next.empty()) open_group(next, i);
            group = next;
            if (unit.empty()) {
                draw_node(i, /*with_cost=*/true);
            } else {
                draw_unit(unit);
            }
        }
        if (!group.empty()) line("  }}");
    }

    void open_group(const std::string& group, size_t first) {
        std::vector<size_t> operations;
        for (size_t i = 0; i < graph_.operations.size(); ++i) {
            if (parent_of(units_[i]) == group) operations.push_back(i);
        }
        if (operations.front() == first) first_in_group_.push_back(fmt::format("op{}", first));
        line("  subgraph {} {{", quoted("cluster_" + group));
        line("    label={}; fontsize=14; labeljust=l; style=rounded; color=gray50; margin=14;",
             left_aligned(group + '\n' + cost_of(graph_, operations).text("\n")));
    }

    std::string unit_label(const std::string& unit) {
        const std::string cost = cost_of(graph_, by_unit_[unit]).text("\n");
        const auto row = repeated_.rows.find(unit);
        if (row == repeated_.rows.end()) return unit + '\n' + cost;
        return fmt::format("{} to {}\n{} equal units of\n{}", unit, row->second.back(), row->second.size(), cost);
    }

    void draw_unit(const std::string& unit) {
        line("    subgraph {} {{", quoted("cluster_" + unit));
        line(
            "    label={}; fontsize=11; labeljust=l; style=\"rounded,filled\"; color=gray50; fillcolor=gray96; "
            "margin=10;",
            left_aligned(unit_label(unit)));
        for (const size_t operation : by_unit_[unit]) draw_node(operation, /*with_cost=*/false);
        line("    }}");
    }

    void draw_node(size_t index, bool with_cost) {
        const Operation& operation = graph_.operations[index];
        std::string label = node_label(graph_, operation);
        if (const Cost cost = cost_of(graph_, std::span(&index, 1)); with_cost && cost.parameters > 0) {
            label += '\n' + cost.text();
        }
        line("    op{} [label={}, fillcolor={}{}];", index, quoted(label), quoted(node_colour(operation)),
             operation.name == "add" ? ", shape=circle, fontsize=16, margin=0, width=0.3" : "");
    }

    // The groups are columns from left to right, each below its entry or, the first one, below the input.
    void align_columns() {
        std::string row = "input";
        for (size_t number = 1; number <= entries_.size(); ++number) row += fmt::format(" -> entry{}", number);
        line("  {{ rank=same; {} [style=invis]; }}", row);
        line("  {{ rank=same; {}; }}", fmt::join(first_in_group_, "; "));
    }

    void draw_legend() {
        std::string text =
            "Edges: [height, width, channels]. Red: the shortcut enters an addition.\n"
            "FLOPs: of convolutions and linear layers, two for a multiply-add.\n"
            "Convolutions pad equally on opposite sides unless they say otherwise.";
        if (!entries_.empty()) text += "\nDashed boxes with the same number: the two ends of an edge.";
        line("  legend [shape=plaintext, style=\"\", fontsize=12, label={}];", left_aligned(text));
        line("  {{ rank=sink; legend; }}");
    }

    void draw_edges() {
        for (size_t i = 0; i < graph_.operations.size(); ++i) {
            if (!is_drawn(i)) continue;
            for (const auto& input : graph_.operations[i].inputs) {
                if (graph_.value(input).name.empty()) draw_edge(input.value, i, input.role == "b");
            }
        }
        const auto last = makers_.at(graph_.output);
        line("  op{} -> output [label={}];", repeated_.representative[last], label_of(graph_.output));
    }

    // The space keeps it off the line.
    std::string label_of(size_t value) const { return quoted(" " + size_of(graph_.values[value].shape)); }

    void draw_edge(size_t value, size_t to, bool residual) {
        const auto maker = makers_.find(value);
        const std::string style = residual ? ", color=firebrick, penwidth=1.8" : "";
        std::string from = "input";
        if (maker != makers_.end()) {
            const size_t drawn = repeated_.representative[maker->second];
            const std::string group = parent_of(units_[drawn]), next = parent_of(units_[to]);
            from = fmt::format("op{}", drawn);
            if (!group.empty() && !next.empty() && group != next) from = entry(value, from, next);
        }
        line("  {} -> op{} [label={}{}];", from, to, label_of(value), style);
    }

    // A line between columns would cross others, so that it is cut: `value`, made by `from`, leads to one label and
    // comes from another one above the column of `group`, whose node is returned.
    std::string entry(size_t value, const std::string& from, const std::string& group) {
        const auto [found, added] = entries_.try_emplace({value, group}, fmt::format("entry{}", entries_.size() + 1));
        if (added) {
            const std::string exit = fmt::format("exit{}", entries_.size());
            line("  {} [label=\"{}: to {}\", style=dashed];", exit, entries_.size(), group);
            line("  {} [label=\"{}: from {}\", style=dashed];", found->second, entries_.size(),
                 units_[makers_.at(value)]);
            line("  {} -> {} [label={}];", from, exit, label_of(value));
        }
        return found->second;
    }

    const Graph& graph_;
    std::vector<std::string> units_;
    RepeatedUnits repeated_;
    std::map<std::string, std::vector<size_t>> by_unit_;
    std::map<size_t, size_t> makers_;  // value -> operation
    std::vector<std::string> first_in_group_;
    std::map<std::pair<size_t, std::string>, std::string> entries_;
    std::string out_;
};

}  // namespace

std::string diagram(const Graph& graph, const std::string& title, bool fold_units) {
    return Drawing(graph, fold_units).text(title);
}

}  // namespace residual::tools
