// Text in other formats: HTML, base64, CSV, shell.
#include "tests/catch.h"
#include "tools/programs/csv.h"
#include "tools/report/command.h"
#include "tools/report/markup.h"

using namespace residual::tools;

namespace {

std::string csv(const std::vector<std::string>& fields) {
    return csv_line(fields);
}

}  // namespace

TEST_CASE("HTML text cannot become markup", "[report]") {
    CHECK(escaped("runs/<b>\"x\" & y</b>") == "runs/&lt;b&gt;&quot;x&quot; &amp; y&lt;/b&gt;");
    CHECK(escaped("plain text, ünïcode\n\t") == "plain text, ünïcode\n\t");
    CHECK(escaped("") == "");
}

TEST_CASE("HTML text is valid XML text", "[report]") {
    CHECK(escaped("a\x01z") == "a\xEF\xBF\xBDz");
    CHECK(escaped(std::string("\0", 1)) == "\xEF\xBF\xBD");
    CHECK(escaped("a\xFFz") == "a\xEF\xBF\xBDz");
    CHECK(escaped("a\xEF\xBF\xBE\xEF\xBF\xBFz") == "a\xEF\xBF\xBD\xEF\xBF\xBDz");  // U+FFFE and U+FFFF.
    CHECK(escaped("\xEF\xBF\xBC") == "\xEF\xBF\xBC");
    CHECK(escaped("\xC3") == "\xEF\xBF\xBD");
}

TEST_CASE("base64 of RFC 4648, section 10", "[report]") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foob") == "Zm9vYg==");
    CHECK(base64("fooba") == "Zm9vYmE=");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xFB\xFF\xFE") == "+//+");
}

TEST_CASE("CSV fields are quoted if they must be", "[report]") {
    CHECK(csv({"cat", "dog"}) == "cat,dog\n");
    CHECK(csv({"a,b", "say \"hi\"", "two\nlines", "cr\r", " space "}) ==
          "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"cr\r\", space \n");
    CHECK(csv({"", ""}) == ",\n");
    CHECK(csv({}) == "\n");
}

TEST_CASE("arguments are quoted for a shell if they must be", "[report]") {
    CHECK(command_line({"resnet-report", "runs/a-1", "-o", "x.html"}) == "resnet-report runs/a-1 -o x.html");
    CHECK(command_line({"a b", "it's", "$HOME", "~", ""}) == R"('a b' 'it'\''s' '$HOME' '~' '')");
}
