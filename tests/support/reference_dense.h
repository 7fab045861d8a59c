// The fully connected layer and softmax cross-entropy as plain loops in double precision.
#pragma once

#include <algorithm>

#include "tests/support/array.h"

namespace test {

// a [rows, inner] * b [inner, columns]
inline Array product(const Array& a, const Array& b) {
    RESIDUAL_ASSERT(a.shape[1] == b.shape[0]);
    Array c({a.shape[0], b.shape[1]});
    for (int64_t i = 0; i < a.shape[0]; ++i)
        for (int64_t j = 0; j < b.shape[1]; ++j)
            for (int64_t k = 0; k < a.shape[1]; ++k)
                c.values[i * b.shape[1] + j] += a.values[i * a.shape[1] + k] * b.values[k * b.shape[1] + j];
    return c;
}

inline Array transposed(const Array& a) {
    Array b({a.shape[1], a.shape[0]});
    for (int64_t i = 0; i < a.shape[0]; ++i)
        for (int64_t j = 0; j < a.shape[1]; ++j) b.values[j * a.shape[0] + i] = a.values[i * a.shape[1] + j];
    return b;
}

struct ReferenceLoss {
    double loss = 0;  // mean over the rows
    int correct = 0;
    Array dlogits;

    ReferenceLoss(const Array& logits, const std::vector<int32_t>& labels) : dlogits(logits.shape) {
        const int64_t rows = logits.shape[0], classes = logits.shape[1];
        for (int64_t r = 0; r < rows; ++r) {
            const double* row = logits.values.data() + r * classes;
            const double* largest = std::max_element(row, row + classes);
            if (largest - row == labels[r]) ++correct;
            double sum = 0;
            for (int64_t c = 0; c < classes; ++c) sum += std::exp(row[c] - *largest);
            loss -= (row[labels[r]] - *largest - std::log(sum)) / rows;
            for (int64_t c = 0; c < classes; ++c) {
                const double probability = std::exp(row[c] - *largest) / sum;
                dlogits.values[r * classes + c] = (probability - (c == labels[r] ? 1 : 0)) / rows;
            }
        }
    }
};

}  // namespace test
