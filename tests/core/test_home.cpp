#include "engine/core/home.h"

#include "engine/core/error.h"
#include "tests/catch.h"
#include "tests/support/environment.h"

using residual::expand_home;
using test::Environment;

TEST_CASE("a leading ~ is the home folder", "[core]") {
    const Environment home("HOME", "/home/me");
    CHECK(expand_home("~") == "/home/me");
    CHECK(expand_home("~/") == "/home/me/");
    CHECK(expand_home("~/data/~x") == "/home/me/data/~x");
    for (const char* path : {"", "data", "/data/~", "./~x", "x~/y"}) CHECK(expand_home(path) == path);
}

TEST_CASE("the home folder of another user is refused", "[core]") {
    const Environment home("HOME", "/home/me");
    CHECK_THROWS_AS(expand_home("~bob/x"), residual::InputError);
    CHECK_THROWS_WITH(expand_home("~bob/x"), ContainsSubstring("~bob/x: ~ is expanded only in ~ and ~/...") &&
                                                 ContainsSubstring("give the full path, or ./~bob/x"));
    CHECK_THROWS_AS(expand_home("~~"), residual::InputError);
}

TEST_CASE("~ without HOME is refused", "[core]") {
    const Environment home("HOME", GENERATE(std::optional<std::string>(), std::optional<std::string>("")));
    CHECK_THROWS_AS(expand_home("~/x"), residual::InputError);
    CHECK_THROWS_WITH(expand_home("~/x"), ContainsSubstring("~/x: ~ cannot be expanded because HOME is not set; set"));
    CHECK(expand_home("./~x") == "./~x");
}
