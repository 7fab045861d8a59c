// What a person sees while a network trains: one line that changes on a terminal, a line now and then in a pipe.
// Standard output is only a view of the run: what it does not take is dropped, and standard error says so once.
#pragma once

#include <cstdint>
#include <string>

#include "engine/train/metrics_file.h"

namespace residual {

class Progress {
  public:
    // Prints on standard output. `steps`: updates in all, of `batch_size` images each.
    Progress(int64_t steps, int batch_size);
    ~Progress();  // Ends an open line.

    void show(const TrainingRow& row);
    void show(const EvaluationRow& row);
    // A whole line by itself.
    void say(const std::string& line);

  private:
    void end_line();
    void print(const std::string& text);

    int64_t steps_;
    int batch_size_;
    bool terminal_;
    bool open_ = false;  // Whether the terminal's last line may still change.
    bool told_ = false;  // Whether standard error has said that standard output fails.
};

// "1 h 02 min", "3 min 20 s", "12 s"; "over 1000000 h" for what is no such number either.
std::string duration_text(double seconds);

}  // namespace residual
