#pragma once

#include <string>

#include "engine/core/error.h"

namespace residual {

// A folder that cannot be used as requested. The caller appends the remedy, which depends on problem().
class RunFolderError : public InputError {
  public:
    enum class Problem { in_use, holds_run, nothing_readable };

    RunFolderError(Problem problem, const std::string& message) : InputError(message), problem_(problem) {}
    Problem problem() const { return problem_; }

  private:
    Problem problem_;
};

}  // namespace residual
