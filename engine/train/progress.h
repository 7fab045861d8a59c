// Training progress on standard output: one line updated in place on a terminal, one line per row otherwise and if TERM
// is unset or "dumb". If standard output cannot be written, progress is dropped after one warning on standard error;
// the run continues.
#pragma once

#include <cstdint>
#include <string>

#include "engine/train/metrics_file.h"

namespace residual {

class Progress {
  public:
    // `steps`: total number of updates, of `batch_size` images each.
    Progress(int64_t steps, int batch_size);
    ~Progress();  // Terminates an open line.

    void show(const TrainingRow& row);
    void show(const EvaluationRow& row);
    void print_line(const std::string& line);
    // Ends the line that may still change, before other output.
    void end_line();

  private:
    void print(const std::string& text);

    int64_t steps_;
    int batch_size_;
    bool terminal_;
    bool open_ = false;    // Whether the last line on the terminal may still change.
    bool warned_ = false;  // Whether the warning has been printed.
};

// "1 h 02 min", "3 min 20 s", "12 s"; "over 1000000 h" also for infinity and NaN.
std::string duration_text(double seconds);

}  // namespace residual
