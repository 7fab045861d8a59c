#include "tools/kernel_bench/reference.h"

#include <cmath>

namespace bench {

namespace {

// Calls visit(first element of y's pixel, of x's pixel, of the tap's inputs in the first filter) for every pair of an
// output pixel and a tap that meets the picture.
template <class Visit>
void for_each_tap(const engine::Conv2dParams& p, size_t pictures, Visit visit) {
    for (size_t n = 0; n < pictures; ++n)
        for (int row = 0; row < p.out_height(); ++row)
            for (int column = 0; column < p.out_width(); ++column)
                for (int i = 0; i < p.kernel; ++i)
                    for (int j = 0; j < p.kernel; ++j) {
                        const int from_row = row * p.stride + i - p.pad_top;
                        const int from_column = column * p.stride + j - p.pad_left;
                        if (from_row < 0 || from_row >= p.height || from_column < 0 || from_column >= p.width) continue;
                        visit(((n * p.out_height() + row) * p.out_width() + column) * p.out_channels,
                              ((n * p.height + from_row) * p.width + from_column) * p.in_channels,
                              static_cast<size_t>(i * p.kernel + j) * p.in_channels);
                    }
}

size_t filter_elements(const engine::Conv2dParams& p) {
    return static_cast<size_t>(p.kernel * p.kernel * p.in_channels);
}

// Shortcuts: y [pictures, rows, columns, out] from value(picture, row, column, channel of x).
template <class Value>
Values padded_channels(size_t pictures, int rows, int columns, int channels, int out_channels, Value value) {
    Values y(pictures * rows * columns * out_channels);
    const int before = (out_channels - channels) / 2;
    for (size_t n = 0; n < pictures; ++n)
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < columns; ++column)
                for (int c = 0; c < channels; ++c) {
                    y[((n * rows + row) * columns + column) * out_channels + before + c] = value(n, row, column, c);
                }
    return y;
}

}  // namespace

Values conv_reference(const engine::Conv2dParams& p, const Values& x, const Values& weight) {
    const size_t pictures = x.size() / (static_cast<size_t>(p.height) * p.width * p.in_channels);
    Values y(pictures * p.out_height() * p.out_width() * p.out_channels);
    for_each_tap(p, pictures, [&](size_t at_y, size_t at_x, size_t at_w) {
        for (int out = 0; out < p.out_channels; ++out) {
            const double* w = &weight[out * filter_elements(p) + at_w];
            double sum = 0;
            for (int in = 0; in < p.in_channels; ++in) sum += x[at_x + in] * w[in];
            y[at_y + out] += sum;
        }
    });
    return y;
}

Values conv_dx_reference(const engine::Conv2dParams& p, const Values& dy, const Values& weight) {
    const size_t pictures = dy.size() / (static_cast<size_t>(p.out_height()) * p.out_width() * p.out_channels);
    Values dx(pictures * p.height * p.width * p.in_channels);
    for_each_tap(p, pictures, [&](size_t at_y, size_t at_x, size_t at_w) {
        for (int out = 0; out < p.out_channels; ++out) {
            const double* w = &weight[out * filter_elements(p) + at_w];
            for (int in = 0; in < p.in_channels; ++in) dx[at_x + in] += dy[at_y + out] * w[in];
        }
    });
    return dx;
}

Values conv_dw_reference(const engine::Conv2dParams& p, const Values& x, const Values& dy) {
    const size_t pictures = dy.size() / (static_cast<size_t>(p.out_height()) * p.out_width() * p.out_channels);
    Values dw(p.out_channels * filter_elements(p));
    for_each_tap(p, pictures, [&](size_t at_y, size_t at_x, size_t at_w) {
        for (int out = 0; out < p.out_channels; ++out) {
            double* w = &dw[out * filter_elements(p) + at_w];
            for (int in = 0; in < p.in_channels; ++in) w[in] += dy[at_y + out] * x[at_x + in];
        }
    });
    return dw;
}

StatsReference stats_reference(const Values& x, size_t channels) {
    StatsReference stats{Values(channels), Values(channels)};
    const double share = static_cast<double>(channels) / static_cast<double>(x.size());
    for (size_t i = 0; i < x.size(); ++i) stats.mean[i % channels] += x[i] * share;
    for (size_t i = 0; i < x.size(); ++i) {
        stats.variance[i % channels] += std::pow(x[i] - stats.mean[i % channels], 2) * share;
    }
    return stats;
}

double NormReference::scale(size_t c) const {
    return gamma[c] / std::sqrt(stats.variance[c] + epsilon);
}

double NormReference::value(double x, size_t c) const {
    return (x - stats.mean[c]) * scale(c) + beta[c];
}

Values NormReference::forward(const Values& x) const {
    Values y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        y[i] = value(x[i], i % channels());
        if (relu && y[i] < 0) y[i] = 0;
    }
    return y;
}

NormSums NormReference::sums(const Values& x, const Values& dy) const {
    NormSums sums{Values(channels()), Values(channels())};
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels();
        if (relu && value(x[i], c) <= 0) continue;
        sums.dgamma[c] += dy[i] * (x[i] - stats.mean[c]) / std::sqrt(stats.variance[c] + epsilon);
        sums.dbeta[c] += dy[i];
    }
    return sums;
}

Values NormReference::dx_fixed(const Values& x, const Values& dy) const {
    Values dx(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels();
        if (!relu || value(x[i], c) > 0) dx[i] = scale(c) * dy[i];
    }
    return dx;
}

Values NormReference::dx(const Values& x, const Values& dy) const {
    const double rows = static_cast<double>(x.size()) / static_cast<double>(channels());
    return plus(dx_fixed(x, dy), stats_part(x, sums(x, dy), rows));
}

Values NormReference::stats_part(const Values& x, const NormSums& sums, double rows) const {
    Values part(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels();
        const double xhat = (x[i] - stats.mean[c]) / std::sqrt(stats.variance[c] + epsilon);
        part[i] = -scale(c) * (sums.dbeta[c] + xhat * sums.dgamma[c]) / rows;
    }
    return part;
}

MomentsGradients NormReference::moments_gradient(const NormSums& sums) const {
    MomentsGradients moments{Values(channels()), Values(channels())};
    for (size_t c = 0; c < channels(); ++c) {
        moments.dmean[c] = -scale(c) * sums.dbeta[c];
        moments.dvariance[c] = -0.5 * scale(c) * sums.dgamma[c] / std::sqrt(stats.variance[c] + epsilon);
    }
    return moments;
}

Values plus(Values a, const Values& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}

Values avgpool_pad_reference(const Values& x, int height, int width, int channels, int out_channels) {
    const size_t pictures = x.size() / (static_cast<size_t>(height) * width * channels);
    return padded_channels(pictures, height / 2, width / 2, channels, out_channels,
                           [&](size_t n, int row, int column, int c) {
                               double sum = 0;
                               for (int i = 0; i < 2; ++i)
                                   for (int j = 0; j < 2; ++j) {
                                       sum += x[((n * height + 2 * row + i) * width + 2 * column + j) * channels + c];
                                   }
                               return sum / 4;
                           });
}

Values subsample_pad_reference(const Values& x, int height, int width, int channels, int out_channels) {
    const size_t pictures = x.size() / (static_cast<size_t>(height) * width * channels);
    return padded_channels(pictures, (height + 1) / 2, (width + 1) / 2, channels, out_channels,
                           [&](size_t n, int row, int column, int c) {
                               return x[((n * height + 2 * row) * width + 2 * column) * channels + c];
                           });
}

}  // namespace bench
