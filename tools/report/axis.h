// The scale of one axis of a chart: its range, its ticks and their labels.
#pragma once

#include <string>
#include <vector>

namespace residual::tools {

enum class Scale { linear, logarithmic };
enum class Ends { at_ticks, at_values };

class Axis {
  public:
    // An axis that shows low to high, and about `count` ticks at 1, 2 or 5 times a power of ten (logarithmic: fewer if
    // more would be too close). A linear axis is extended to whole ticks unless it ends at the values. The values must
    // be finite, positive if logarithmic; equal ones are moved apart.
    Axis(Scale scale, double low, double high, int count, Ends ends = Ends::at_ticks);

    double low() const { return low_; }
    double high() const { return high_; }
    const std::vector<double>& ticks() const { return ticks_; }
    // 0 at low(), 1 at high(), beyond these for values outside.
    double position(double value) const;

  private:
    void choose_linear_ticks(int count, Ends ends);
    void choose_logarithmic_ticks(int count);

    Scale scale_;
    double low_, high_;
    std::vector<double> ticks_;
};

// "64,000", "0.001", "1e-06".
std::string tick_label(double value);

}  // namespace residual::tools
