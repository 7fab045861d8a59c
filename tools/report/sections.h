// The parts of the page. Each function returns HTML that is also well-formed XML; a part without content is empty.
#pragma once

#include <span>
#include <string>

#include "tools/report/run.h"

namespace residual::tools {

// Two tables: the results of all runs, and with what they were made.
std::string summary(std::span<const ReportRun> runs);

// Error of residual and of plain networks, loss, and learning rate over the steps.
std::string curves(std::span<const ReportRun> runs);

// Test accuracy of each class, by run.
std::string class_accuracies(std::span<const ReportRun> runs);

// One run: remarks, confusion matrix, misclassified images, filters of the first convolution, configuration, command.
std::string run_section(const ReportRun& run, int index);
std::string confusion_matrix(const TestResult& test);
std::string wrong_images(const TestResult& test, const WrongImages& wrong);
std::string filter_images(const Filters& filters);

// "21.72 %" of a fraction, with a space that does not break.
std::string percent(double fraction);
// "#run-0": where run_section() of this index is.
std::string anchor(int index);

}  // namespace residual::tools
