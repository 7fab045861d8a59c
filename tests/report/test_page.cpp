// Pages of runs that no training produces.
#include "tools/report/page.h"

#include <algorithm>
#include <span>

#include "tests/catch.h"
#include "tools/report/markup.h"
#include "tools/report/published.h"
#include "tools/report/sections.h"

using namespace residual;
using namespace residual::tools;

namespace {

// A result with `classes` classes named "<0>", "<1>", ..., and one black image per prediction.
TestResult result_of(int classes, std::vector<Prediction> predictions) {
    TestResult result{};
    result.data = {.name = "made up", .height = 2, .width = 2, .channels = 3, .class_names = {}};
    for (int label = 0; label < classes; ++label) result.data.class_names.push_back("<" + std::to_string(label) + ">");
    for (const Prediction& prediction : predictions) {
        result.labels.push_back(prediction.label);
        for (int k = 0; k < classes; ++k) result.logits.push_back(k == prediction.predicted ? 1.0F : 0.0F);
    }
    result.records.resize(predictions.size() * static_cast<size_t>(result.data.record_bytes()));
    result.predictions = std::move(predictions);
    return result;
}

std::string wrong_images_of(const TestResult& result) {
    return wrong_images(result, WrongImages(result));
}

size_t count(const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("the confusion matrix of few classes is a table of counts", "[report]") {
    const std::string text = confusion_matrix(result_of(2, {{0, 0, 1}, {0, 1, 1}, {0, 1, 1}, {1, 1, 1}}));
    CHECK_THAT(text, ContainsSubstring("<tr><th>&lt;0&gt;</th><td class=\"right\" style=\"--shade: 0.33\">1</td><td "
                                       "class=\"wrong\" style=\"--shade: 1.00\">2</td></tr>"));
    CHECK(count(text, "<img") == 0);
}

TEST_CASE("the confusion matrix of many classes is an image, with the most frequent confusions", "[report]") {
    const std::string text = confusion_matrix(result_of(100, {{99, 3, 1}, {7, 8, 1}, {7, 8, 1}, {5, 5, 1}}));
    CHECK(count(text, "<img class=\"matrix\"") == 1);
    CHECK(count(text, "<tr><td>") == 2);
    CHECK(text.find("<td>&lt;7&gt;</td><td>&lt;8&gt;</td><td>2 of 2</td>") <
          text.find("<td>&lt;99&gt;</td><td>&lt;3&gt;</td><td>1 of 1</td>"));
}

TEST_CASE("the 25 most confidently misclassified images are shown", "[report]") {
    std::vector<Prediction> predictions(40, {0, 1, 0.5});
    predictions[30].probability = 0.875;
    predictions[31] = {1, 1, 1};  // Correct.
    TestResult result = result_of(2, predictions);
    const auto bytes = static_cast<size_t>(result.data.record_bytes());
    const std::vector<uint8_t> white(12, 255);
    std::ranges::fill(std::span(result.records).subspan(30 * bytes + 1, 12), uint8_t{255});
    const std::string text = wrong_images_of(result);
    CHECK_THAT(text, ContainsSubstring("title=\"test image 30\" src=\"" + png_data_uri(white, 2, 2, 3) + "\""));
    CHECK_THAT(text, ContainsSubstring("25 of 39 misclassified images"));
    CHECK(count(text, "<img") == 25);
    CHECK(text.find("alt=\"test image 30\"") < text.find("alt=\"test image 0\""));
    CHECK_THAT(text, ContainsSubstring("<b>&lt;0&gt;</b></span><span>predicted &lt;1&gt;, 87.5\u00a0%"));
    CHECK_THAT(text, !ContainsSubstring("test image 31"));
    CHECK_THAT(wrong_images_of(result_of(2, {{1, 1, 1}})),
               ContainsSubstring("Every test image is classified correctly"));
}

TEST_CASE("runs with the same classes share a table of accuracies", "[report]") {
    std::vector<ReportRun> runs(4);
    runs[0].test = result_of(2, {{0, 0, 1}, {0, 1, 1}});
    runs[1].test = result_of(21, {{20, 20, 1}});
    runs[3].test = result_of(2, {{0, 0, 1}, {1, 0, 1}});
    const std::string text = class_accuracies(runs);
    CHECK(count(text, "<table") == 2);
    CHECK_THAT(text,
               ContainsSubstring("50.0 %</td><td><span class=\"bar\" style=\"width: 100.0%\"></span>100.0 %</td>"));
    CHECK_THAT(text,
               ContainsSubstring("<td>no images</td><td><span class=\"bar\" style=\"width: 0.0%\"></span>0.0 %</td>"));
    CHECK_THAT(text, ContainsSubstring("<summary>The 21 classes of made up</summary>"));
    CHECK(class_accuracies({}).empty());
}

TEST_CASE("filters with other numbers of channels than 1 and 3 are not shown", "[report]") {
    CHECK(count(filter_images({{2, 1, 1, 3}, {0, 1, 2, 3, 4, 5}}), "<img") == 2);
    CHECK(count(filter_images({{2, 1, 1, 1}, {0, 0}}), "<img") == 2);
    CHECK_THAT(filter_images({{1, 1, 1, 2}, {0, 1}}), ContainsSubstring("2 channels"));
}

TEST_CASE("a page of a run without anything", "[report]") {
    ReportRun run{};
    run.name = "<run>";
    run.remarks = {"no configuration", "no curves"};
    const std::string page = report_page(std::vector{run}, "resnet-report '<run>'");
    CHECK_THAT(page, ContainsSubstring("<title>&lt;run&gt; (unknown network)</title>"));
    CHECK_THAT(page, ContainsSubstring("None of the runs has rows yet."));
    CHECK_THAT(page, ContainsSubstring("<li>no configuration</li><li>no curves</li>"));
    CHECK_THAT(page, !ContainsSubstring("<run>"));
}

TEST_CASE("the command to train again names a configuration that exists", "[report]") {
    ReportRun run{};
    run.experiment.emplace();
    CHECK_THAT(run_section(run, 0), ContainsSubstring("save the keys below as a file") &&
                                        ContainsSubstring("<code>resnet-train FILE --out NEW_FOLDER</code>"));
    run.config = "runs/a/config.json";
    CHECK_THAT(run_section(run, 0), ContainsSubstring("<code>resnet-train runs/a/config.json --out NEW_FOLDER</code>"));
}

TEST_CASE("runs with the same schedule share a line of the learning rate", "[report]") {
    const auto rows = [](int64_t every, int64_t last, double second) {
        std::string text;
        for (int64_t step = every; step <= last; step += every) {
            const double rate = step <= 60 ? 0.1 : second;
            text += "{\"step\": " + std::to_string(step) +
                    ", \"train_cross_entropy\": 1, \"learning_rate\": " + std::to_string(rate) + "}\n";
        }
        return parse_rows(text);
    };
    std::vector<ReportRun> runs(4);
    const char* names[] = {"unfinished", "whole", "other rows", "other schedule"};
    for (size_t i = 0; i < runs.size(); ++i) runs[i].name = names[i];
    runs[0].rows = rows(10, 80, 0.01);
    runs[1].rows = rows(10, 120, 0.01);
    runs[2].rows = rows(20, 120, 0.01);
    runs[3].rows = rows(10, 120, 0.02);
    const std::string text = curves(runs);
    const std::string figure = text.substr(text.find("<h3>Learning rate</h3>"));
    CHECK_THAT(figure, ContainsSubstring("<title>unfinished, whole, other rows</title>") &&
                           ContainsSubstring("<title>other schedule</title>"));
    // Two values, to the end of the longest run.
    CHECK_THAT(figure, ContainsSubstring("H249.0V") && ContainsSubstring("H444.0\" />"));
    CHECK(count(figure.substr(0, figure.find("</g>")), "H") == 2);
}

TEST_CASE("a caption says which values are not shown", "[report]") {
    std::vector<ReportRun> runs(1);
    runs[0].rows = parse_rows(
        "{\"step\": 1, \"train_cross_entropy\": 2}\n{\"step\": 2, \"train_cross_entropy\": 1}\n"
        "{\"step\": 1, \"test_loss\": 90}\n{\"step\": 2, \"test_loss\": 1}\n");
    CHECK_THAT(curves(runs), ContainsSubstring("Values above 4 are not shown."));
}

TEST_CASE("residual and plain networks have a figure each", "[report]") {
    std::vector<ReportRun> runs(3);
    for (ReportRun& run : runs) {
        run.experiment.emplace();
        run.rows = parse_rows("{\"step\": 1, \"test_loss\": 1, \"test_accuracy\": 0.5}\n");
    }
    std::get<models::ResNetConfig>(runs[1].experiment->model.config).shortcut = models::Shortcut::none;
    runs[2].experiment.reset();
    const std::string text = curves(runs);
    for (const char* title :
         {"Residual networks", "Plain networks (no shortcuts)", "Runs without a configuration", "Loss"}) {
        CHECK(count(text, std::string("<h3>") + title + "</h3>") == 1);
    }
    CHECK(count(text, "<h3>Learning rate</h3>") == 0);
    runs.resize(1);
    CHECK(count(curves(runs), "Plain networks") == 0);
}

TEST_CASE("runs are named by their folders, longer if these are equal", "[report]") {
    std::vector<ReportRun> runs(4);
    const char* folders[] = {"/x/a/resnet20", "/x/b/resnet20/", "/x/b/plain20", "/x/c/b/resnet20"};
    for (size_t i = 0; i < runs.size(); ++i) runs[i].folder = folders[i];
    set_names(runs);
    CHECK(runs[0].name == "a/resnet20");
    CHECK(runs[1].name == "x/b/resnet20");
    CHECK(runs[2].name == "plain20");
    CHECK(runs[3].name == "c/b/resnet20");
}

TEST_CASE("published errors belong to a network and a data set", "[report]") {
    Experiment experiment;
    auto& network = std::get<models::ResNetConfig>(experiment.model.config);
    network.depth = 110;
    CHECK(published_error(experiment)->percent == 6.35);
    network.block = models::Block::postact;
    CHECK_FALSE(published_error(experiment));
    network.shortcut = models::Shortcut::subsample_zeropad;
    CHECK_FALSE(published_error(experiment));  // Other padding.
    network.padding = models::Padding::symmetric;
    CHECK(published_error(experiment)->percent == 6.43);
    CHECK_THAT(published_error(experiment)->source, ContainsSubstring("best of five runs"));
    network.batch_norm.epsilon = 1e-5;
    CHECK_FALSE(published_error(experiment));
    network.batch_norm = {};
    experiment.data.format = "cifar100";
    CHECK_FALSE(published_error(experiment));
    experiment.data.format = "cifar10";
    network = {.depth = 20, .shortcut = models::Shortcut::none};
    CHECK(published_error(experiment)->percent == 9.8);
    network.depth = 32;
    CHECK_FALSE(published_error(experiment));
    experiment.model.config = models::WideResNetConfig{};
    CHECK_FALSE(published_error(experiment));
}
