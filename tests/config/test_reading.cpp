#include <sys/stat.h>

#include <span>
#include <string>
#include <vector>

#include "engine/config/read.h"
#include "tests/catch.h"
#include "tests/config/refusal.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/environment.h"

using Overrides = std::vector<std::string>;

TEST_CASE("the message for an unknown key suggests the nearest known key", "[config]") {
    CHECK(refusal(R"({"train": {"stesp": 5}})") ==
          "x.json: /train/stesp: unknown key; the nearest known key is /train/steps");
    CHECK(refusal(R"({"trian": {"steps": 5}})") == "x.json: /trian: unknown key; the nearest known key is /train");
    CHECK(refusal(R"({"data": {"augment": {"flips": true}}})") ==
          "x.json: /data/augment/flips: unknown key; the nearest known key is /data/augment/flip");
    SECTION("from another object if the name matches") {
        CHECK(refusal(R"({"batch_size": 64})") ==
              "x.json: /batch_size: unknown key; the nearest known key is /train/batch_size");
    }
    SECTION("from the same object if the name exists twice") {
        CHECK(refusal(R"({"run": {"dirr": "a"}})") ==
              "x.json: /run/dirr: unknown key; the nearest known key is /run/dir");
        CHECK(refusal(R"({"data": {"dirr": "a"}})") ==
              "x.json: /data/dirr: unknown key; the nearest known key is /data/dir");
    }
    SECTION("before reporting errors that follow from it") {
        CHECK(refusal(R"({"schedule": {"boundaries": [5], "value": [1, 1]}})") ==
              "x.json: /schedule/value: unknown key; the nearest known key is /schedule/values");
    }
    SECTION("with escaped JSON pointer characters") {
        CHECK(refusal(R"({"a/b~": 1})").rfind("x.json: /a~1b~0: unknown key", 0) == 0);
    }
    SECTION("only if at most a third of the name differs") {
        CHECK(refusal(R"({"train": {"setps": 5}})") ==
              "x.json: /train/setps: unknown key; the nearest known key is /train/steps");
        for (const char* name : {"x", "path", "rate", "colour"}) {
            CHECK(refusal(std::string(R"({"data": {")") + name + R"(": 1}})") ==
                  std::string("x.json: /data/") + name + ": unknown key; configs/README.md lists the keys");
        }
    }
}

TEST_CASE("the message for a key with another framework's name suggests the key that has its purpose", "[config]") {
    const auto refused = [](const std::string& key) { return refusal("{}", {key + "=1"}); };
    CHECK(refused("optimizer.lr") ==
          "--set optimizer.lr=1: /optimizer/lr: unknown key; the corresponding key is /schedule/values");
    CHECK_THAT(refused("train.learning_rate"), ContainsSubstring("the corresponding key is /schedule/values"));
    CHECK_THAT(refused("epochs"), ContainsSubstring("the corresponding key is /train/steps"));
    CHECK_THAT(refused("train.batch"), ContainsSubstring("the corresponding key is /train/batch_size"));
    CHECK_THAT(refused("optimizer.wd"), ContainsSubstring("the corresponding key is /optimizer/weight_decay"));
}

TEST_CASE("$schema is accepted only at the top level and not written", "[config]") {
    const residual::tools::Experiment experiment =
        residual::tools::experiment_from_json(R"({"$schema": "schema.json"})", "x.json");
    CHECK(experiment == residual::tools::Experiment{});
    CHECK(residual::tools::to_json(experiment).find("$schema") == std::string::npos);
    CHECK(refusal(R"({"model": {"$schema": "schema.json"}})").rfind("x.json: /model/$schema: unknown key", 0) == 0);
}

TEST_CASE("overrides take precedence over the file, the file over the defaults", "[config]") {
    const std::string file = R"({"train": {"steps": 10, "seed": 3}, "data": {"augment": {"flip": false}}})";
    const Overrides overrides = {"train.steps=20",        "data.dir=/data/cifar=10",   "schedule.boundaries=[]",
                                 "schedule.values=[0.5]", "data.augment={\"pad\": 2}", "train.device=cpu",
                                 "run.dir=\"7\""};
    const residual::tools::Experiment experiment = residual::tools::experiment_from_json(file, "x.json", overrides);
    CHECK(experiment.train.steps == 20);
    CHECK(experiment.train.seed == 3);
    CHECK(experiment.train.batch_size == 128);
    CHECK(experiment.data.dir == "/data/cifar=10");
    CHECK(experiment.data.augment == residual::AugmentConfig{.pad = 2, .flip = false});
    CHECK(experiment.schedule.boundaries.empty());
    CHECK(experiment.schedule.values == std::vector<double>{0.5});
    CHECK(experiment.train.device == residual::DeviceChoice::cpu);
    CHECK(experiment.run.dir == "7");
    CHECK_FALSE(residual::tools::experiment_from_json(R"({"data": {"dir": "a"}})", "x.json", Overrides{"data.dir=null"})
                    .data.dir);
}

TEST_CASE("the message for an invalid override quotes it", "[config]") {
    CHECK(refusal("{}", {"train.stesp=5"}) ==
          "--set train.stesp=5: /train/stesp: unknown key; the nearest known key is /train/steps");
    CHECK(refusal(R"({"train": {"steps": 5}})", {"train.steps=ten"}) ==
          R"(--set train.steps=ten: /train/steps: expected an integer >= 1, got "ten")");
    CHECK(refusal("{}", {"train.steps"}) == "--set train.steps: expected key.path=value, such as train.steps=1000");
    CHECK(refusal("{}", {"=5"}) == "--set =5: expected key.path=value, such as train.steps=1000");
    CHECK(refusal("{}", {"train.steps.x=5"}) ==
          R"(--set train.steps.x=5: /train/steps: expected an integer >= 1, got {"x":5})");
    CHECK(refusal(R"({"train": {"steps": 5}})", {"train.steps.x=5"}) ==
          "--set train.steps.x=5: /train/steps is 5, not an object");
    CHECK(refusal("{}", {"train..steps=5"}).rfind("--set train..steps=5: /train/: unknown key", 0) == 0);
    CHECK(refusal("{}", {"data.dir=\xFF"}) == "--set data.dir=\xFF: the value is not UTF-8");
    CHECK(refusal("{}", {"optimizer.momentum=1e999"}) ==
          R"(--set optimizer.momentum=1e999: /optimizer/momentum: expected a number >= 0 and < 1, got "1e999")");
    CHECK(refusal("{}", {"schedule.boundaries=[1, -2]"}) ==
          "--set schedule.boundaries=[1, -2]: /schedule/boundaries/1: expected an integer >= 0, got -2");
    SECTION("that sets a key twice") {
        const std::string message = ": /train/steps: given twice on the command line; keep one";
        CHECK(refusal("{}", {"train.steps=20", "train.steps=30"}) == "--set train.steps=30" + message);
        CHECK(refusal("{}", {"train.steps=20", "train.steps=20"}) == "--set train.steps=20" + message);
        CHECK(refusal("{}", {"train={\"steps\": 20}", "train.steps=30"}) == "--set train.steps=30" + message);
        CHECK(refusal("{}", {"train={\"seed\": 20}", "train.steps=30"}) == "accepted");
    }
    SECTION("while errors in the file name the file") {
        CHECK(refusal(R"({"train": {"steps": 0}})", {"train.seed=1"}) ==
              "x.json: /train/steps: expected an integer >= 1, got 0");
    }
}

TEST_CASE("the message for invalid JSON names the position", "[config]") {
    CHECK(refusal("") == "x.json: empty; the smallest valid configuration is {}");
    CHECK(refusal(" \n\t") == "x.json: empty; the smallest valid configuration is {}");
    CHECK(refusal("\xEF\xBB\xBF{}") == "x.json: starts with a byte order mark; save it as UTF-8 without one");
    CHECK(refusal(std::string("\xFF\xFE{\0}\0", 6)) ==
          "x.json: starts with a byte order mark; save it as UTF-8 without one");
    CHECK(refusal("[1, 2]") == "x.json: expected an object {...}, got [1,2]");
    CHECK(refusal("{\n  \"train\": {\n    \"steps\": 5,\n  }\n}").rfind("x.json:4:3: invalid JSON: ", 0) == 0);
    CHECK(refusal("{} x").rfind("x.json:1:4: invalid JSON: ", 0) == 0);
    CHECK(refusal("{\"train\": {").rfind("x.json:1:11: invalid JSON: ", 0) == 0);
    CHECK(refusal("{\"train\": {\"seed\": NaN}}").rfind("x.json:1:20: invalid JSON: ", 0) == 0);
    CHECK_THAT(refusal("{\n\"data\": {\"dir\": \"\xC3\x28\"}}"),
               ContainsSubstring("x.json:2:") && ContainsSubstring("UTF-8"));
    CHECK_THAT(refusal("{\"optimizer\": {\"momentum\": 1e999}}"),
               ContainsSubstring("x.json:1:") && ContainsSubstring("1e999"));
}

TEST_CASE("a duplicate key is rejected", "[config]") {
    CHECK(refusal(R"({"train": {"steps": 5, "seed": 1, "steps": 6}})") ==
          "x.json: /train/steps: this key appears twice; keep one");
    CHECK(refusal(R"({"run": {}, "schedule": {"values": [{"a": 1}, {"a": 1, "a": 2}]}})") ==
          "x.json: /schedule/values/1/a: this key appears twice; keep one");
    CHECK(refusal(R"({"data": {"dir": "a"}, "run": {"dir": "a"}})") == "accepted");
}

TEST_CASE("nesting depth, number of keys and message length are bounded", "[config]") {
    const std::string deep = std::string(100000, '[') + std::string(100000, ']');
    CHECK_THAT(refusal("{\"train\": {\"steps\": " + deep + "}}"),
               ContainsSubstring("x.json: /train/steps/0/0") && ContainsSubstring("more than 32 levels"));
    std::string many = "{\"train\": {";
    for (int key = 0; key < 100000; ++key) many += "\"k" + std::to_string(key) + "\": 0, ";
    CHECK_THAT(refusal(many + "\"k\": 0}}"),
               ContainsSubstring("/train/k1000") && ContainsSubstring("more than 1000 keys"));
    CHECK_THAT(refusal("{\"" + std::string(900'000, 'x') + "\": 0}"), ContainsSubstring("unknown key"));
    CHECK_THAT(refusal("{}", {std::string(32, '.') + "=1"}), ContainsSubstring("more than 32 levels"));
    CHECK_THAT(refusal("{}", {std::string(31, '.') + "=1"}), ContainsSubstring("unknown key"));
    CHECK(refusal(R"({"train": {"steps": ")" + std::string(10000, 'a') + "\"}}").size() < 200);
}

TEST_CASE("the message for an unreadable configuration names its path", "[config]") {
    CHECK_THROWS_AS(residual::tools::load_experiment("/nonexistent/x.json"), residual::InputError);
    CHECK_THROWS_WITH(residual::tools::load_experiment("/nonexistent/x.json"),
                      "/nonexistent/x.json: cannot be read: No such file or directory");
    CHECK_THROWS_WITH(residual::tools::load_experiment("/"), "/: cannot be read: Is a directory");
    CHECK_THROWS_WITH(residual::read_config_file("/dev/zero"), "/dev/zero: cannot be read: not a regular file");
    const tests::TemporaryFolder folder;
    const std::string pipe = folder / "pipe", large = folder / "large.json", brackets = folder / "brackets.json";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_THROWS_WITH(residual::read_config_file(pipe), pipe + ": cannot be read: not a regular file");
    const std::string text(10 << 20, '[');
    tests::write_bytes(brackets, std::as_bytes(std::span(text)));
    CHECK_THROWS_WITH(residual::read_config_file(brackets), brackets + ": exceeds 1 MiB; is it a configuration file?");
    tests::write_bytes(large, std::as_bytes(std::span(text).first(1 << 20)));
    CHECK(residual::read_config_file(large).size() == 1 << 20);
}

TEST_CASE("a leading ~ in a path is the home folder", "[config]") {
    const test::Environment home("HOME", "/home/me");
    const Overrides overrides = {"run.dir=~/runs/a"};
    const residual::tools::Experiment experiment =
        residual::tools::experiment_from_json(R"({"data": {"dir": "~"}})", "x.json", overrides);
    CHECK(experiment.data.dir == "/home/me");
    CHECK(experiment.run.dir == "/home/me/runs/a");
    CHECK_THAT(residual::tools::to_json(experiment), ContainsSubstring(R"("dir": "/home/me/runs/a")"));
    CHECK(residual::tools::experiment_from_json(R"({"data": {"dir": "./~x"}})", "x.json").data.dir == "./~x");
    CHECK(refusal(R"({"data": {"dir": "~bob/x"}})").starts_with("x.json: /data/dir: ~bob/x: ~ is expanded only in"));
    const test::Environment none("HOME", std::nullopt);
    CHECK(refusal(R"({"run": {"dir": "~/x"}})").starts_with("x.json: /run/dir: ~/x: ~ cannot be expanded because"));
}
