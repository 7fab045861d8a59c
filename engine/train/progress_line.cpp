#include "engine/train/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace residual {

namespace {

constexpr std::string_view kSpinner = "|/-\\";
constexpr size_t kShortestBar = 6, kLongestBar = 40;  // Without its brackets.
constexpr size_t kBarAdds = 1;                        // Two brackets, less the spinner in whose place the bar is.
constexpr std::string_view kGap = "  ";
constexpr double kLongestTime = 3600e6;  // Seconds.
constexpr double kWindow = 5;            // Seconds.

char spinner(int frame) {
    return kSpinner[static_cast<size_t>(frame) % kSpinner.size()];
}

// "[#####/........]"
std::string bar(const ProgressState& state, size_t length, int frame) {
    const double done = state.steps > 0 ? static_cast<double>(state.step) / static_cast<double>(state.steps) : 1;
    const auto filled = static_cast<size_t>(std::clamp(done, 0.0, 1.0) * static_cast<double>(length - 1));
    return fmt::format("[{}{}{}]", std::string(filled, '#'), spinner(frame), std::string(length - 1 - filled, '.'));
}

// What the line can show besides the updates, in the order of the line.
enum Part { kActivity, kLoss, kAccuracy, kSpeed, kElapsed, kLeft, kParts };
constexpr Part kByImportance[] = {kActivity, kLeft, kLoss, kSpeed, kAccuracy, kElapsed};  // And a bar before kElapsed.

// The texts of the parts; empty if the state has none.
std::array<std::string, kParts> parts_of(const ProgressState& state) {
    std::array<std::string, kParts> parts;
    parts[kActivity] = state.activity;
    if (state.activity.empty() && state.images_per_second) {
        const int decimals = *state.images_per_second < 9.95 ? 1 : 0;
        parts[kSpeed] = fmt::format("{:.{}f} img/s", *state.images_per_second, decimals);
    }
    if (state.loss) parts[kLoss] = fmt::format("loss {:.3f}", *state.loss);
    if (state.accuracy) parts[kAccuracy] = fmt::format("acc {:.1f} %", 100 * *state.accuracy);
    parts[kElapsed] = clock_text(state.elapsed);
    if (state.left) parts[kLeft] = clock_text(*state.left) + " left";
    return parts;
}

std::string joined(const std::string& start, const std::array<std::string, kParts>& parts) {
    std::string line = start;
    for (const std::string& part : parts) {
        if (!part.empty()) line.append(kGap).append(part);
    }
    return line;
}

std::string updates_text(const ProgressState& state) {
    return fmt::format("{}/{}", state.step, state.steps);
}

}  // namespace

std::string progress_line(const ProgressState& state, int columns, int frame) {
    const auto width = static_cast<size_t>(std::max(columns - 1, 1));
    const std::string updates = updates_text(state);
    const auto all = parts_of(state);
    std::array<std::string, kParts> shown;
    size_t length = 2 + updates.size();  // With the spinner and a space.
    for (const Part part : kByImportance) {
        const size_t added = kGap.size() + all[part].size();
        const size_t reserved = part == kElapsed ? kBarAdds + kShortestBar : 0;
        if (all[part].empty() || length + added + reserved > width) continue;
        shown[part] = all[part];
        length += added;
    }
    if (length + kBarAdds + kShortestBar <= width) {
        const size_t bar_length = std::min(width - length - kBarAdds, kLongestBar);
        return joined(bar(state, bar_length, frame) + " " + updates, shown);
    }
    return joined(fmt::format("{} {}", spinner(frame), updates), shown).substr(0, width);
}

std::string progress_text(const ProgressState& state) {
    auto parts = parts_of(state);
    parts[kElapsed] += " elapsed";
    return joined("step " + updates_text(state), parts);
}

std::string duration_text(double seconds) {
    if (!(seconds < kLongestTime)) return "over 1000000 h";
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
    if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} s", whole);
}

std::string clock_text(double seconds) {
    if (!(seconds < kLongestTime)) return "over 1000000 h";
    const auto whole = static_cast<int64_t>(seconds);
    if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

void RecentSpeed::add(double time, int64_t count) {
    if (!samples_.empty() && samples_.back().second == count) {
        // The next change takes at least this long.
        const double stalled = time - samples_.back().first;
        if (per_second_ && stalled > kWindow) per_second_ = std::min(*per_second_, 1 / stalled);
        return;
    }
    samples_.emplace_back(time, count);
    while (samples_.size() > 2 && samples_[1].first <= time - kWindow) samples_.pop_front();
    const auto& [start, before] = samples_.front();
    if (time > start) per_second_ = static_cast<double>(count - before) / (time - start);
}

}  // namespace residual
