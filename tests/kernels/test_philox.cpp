#include <cstdint>
#include <set>
#include <vector>

#include "kernels/permutation.h"
#include "kernels/philox.h"
#include "tests/catch.h"

using residual::kernels::permuted;
using residual::kernels::Philox4;
using residual::kernels::philox4x32_10;

// The known answers for philox4x32, 10 rounds, of the Random123 distribution (kat_vectors).
TEST_CASE("Philox4x32-10 gives the published vectors", "[kernels][philox]") {
    struct Case {
        Philox4 counter;
        residual::kernels::PhiloxKey key;
        Philox4 expected;
    };
    const Case cases[] = {
        {{{0, 0, 0, 0}}, {{0, 0}}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
        {{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
         {{0xffffffff, 0xffffffff}},
         {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
        {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         {{0xa4093822, 0x299f31d0}},
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
    };
    for (const Case& test : cases) {
        const Philox4 words = philox4x32_10(test.counter, test.key);
        for (int k = 0; k < 4; ++k) CHECK(words.v[k] == test.expected.v[k]);
    }
}

TEST_CASE("The seed's two words are the key, low word first", "[kernels][philox]") {
    const residual::kernels::PhiloxKey key = residual::kernels::philox_key(0x0123456789abcdefull);
    CHECK(key.v[0] == 0x89abcdefu);
    CHECK(key.v[1] == 0x01234567u);
}

namespace {

std::vector<uint32_t> permutation(uint64_t seed, uint64_t epoch, uint32_t n) {
    std::vector<uint32_t> order(n);
    for (uint32_t i = 0; i < n; ++i) order[i] = permuted(seed, epoch, i, n);
    return order;
}

int matching_positions(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
    int common = 0;
    for (size_t i = 0; i < a.size(); ++i) common += a[i] == b[i] ? 1 : 0;
    return common;
}

}  // namespace

TEST_CASE("A permutation contains every sample once", "[kernels][permutation]") {
    for (const uint32_t n : {1u, 2u, 3u, 4u, 5u, 7u, 16u, 17u, 1000u, 50000u}) {
        for (const uint64_t epoch : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40}) {
            CAPTURE(n, epoch);
            std::vector<int> seen(n, 0);
            bool inside = true;
            for (const uint32_t value : permutation(5, epoch, n)) {
                inside = inside && value < n;
                if (value < n) ++seen[value];
            }
            CHECK(inside);
            CHECK(seen == std::vector<int>(n, 1));
        }
    }
}

TEST_CASE("A permutation of a huge data set stays in range", "[kernels][permutation]") {
    std::set<uint32_t> values;
    for (uint32_t i = 0; i < 1000; ++i) {
        const uint32_t value = permuted(1, 2, 0xfffffffeu - i, 0xffffffffu);
        CHECK(value < 0xffffffffu);
        values.insert(value);
    }
    CHECK(values.size() == 1000);
}

// Two random permutations agree at one position on average, at more than 12 with a probability under 1e-10.
TEST_CASE("Every epoch and seed has a different permutation", "[kernels][permutation]") {
    const auto base = permutation(0, 0, 50000);
    CHECK(permutation(0, 0, 50000) == base);
    CHECK(matching_positions(base, permutation(0, 1, 50000)) <= 12);
    CHECK(matching_positions(base, permutation(0, uint64_t{1} << 32, 50000)) <= 12);
    CHECK(matching_positions(base, permutation(1, 0, 50000)) <= 12);
    CHECK(matching_positions(base, permutation(uint64_t{1} << 32, 0, 50000)) <= 12);
    std::vector<uint32_t> identity(50000);
    for (uint32_t i = 0; i < identity.size(); ++i) identity[i] = i;
    CHECK(matching_positions(base, identity) <= 12);
}

// Pearson's chi-square: 9 and 5 degrees of freedom, thresholds of a probability under 1e-4.
TEST_CASE("Permutations are uniform over the epochs", "[kernels][permutation]") {
    constexpr int kEpochs = 20000;
    std::vector<int> first(10, 0);
    std::vector<int> orders(27, 0);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
        ++first[permuted(3, epoch, 0, 10)];
        ++orders[9 * permuted(3, epoch, 0, 3) + 3 * permuted(3, epoch, 1, 3) + permuted(3, epoch, 2, 3)];
    }
    double chi_square = 0.0;
    for (const int count : first) chi_square += (count - kEpochs / 10.0) * (count - kEpochs / 10.0) / (kEpochs / 10.0);
    CHECK(chi_square < 34.0);
    chi_square = 0.0;
    int kinds = 0;
    for (const int count : orders) {
        if (count == 0) continue;
        ++kinds;
        chi_square += (count - kEpochs / 6.0) * (count - kEpochs / 6.0) / (kEpochs / 6.0);
    }
    CHECK(kinds == 6);
    CHECK(chi_square < 26.0);
}
