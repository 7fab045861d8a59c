// The results: a table 100 columns wide, printed as they arrive, and a JSON document.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/check.h"
#include "tools/bench/kernel_bench/measure.h"
#include "tools/bench/kernel_bench/yardsticks.h"

namespace residual::bench {

class Report {
  public:
    // Prints the yardsticks and the header of the table.
    Report(const Backend& backend, const Yardsticks& yardsticks, const std::string& command);

    void right(const Case& c, const Trial& trial, const Verdict& verdict, const Times& times);
    void wrong(const Case& c, const Verdict& verdict);
    void failed(const Case& c, const std::string& reason);
    void skip(const Case& c, const std::string& reason);
    // The device was lost in `c`, and `left` cases after it were not run.
    void lost(const Case& c, int left);

    // Prints the counts of measured, failed and skipped cases. Returns whether all were right.
    bool finish() const;
    std::string json() const;

  private:
    nlohmann::ordered_json& add_row(const Case& c);

    Yardsticks yardsticks_;
    std::string rate_unit_;
    double rate_scale_;
    nlohmann::ordered_json document_;
    std::map<std::string, int> skipped_;  // Number of cases by reason.
    int shown_ = 0, bad_ = 0;
};

}  // namespace residual::bench
