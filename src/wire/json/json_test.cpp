#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "wire/json/limits.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::wire::json {
namespace {

std::string Nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string Written(const Scalar& scalar) {
  Writer writer;
  writer.Element(scalar);
  return writer.Take();
}

TEST(JsonParse, ReadsEveryKindOfValue) {
  Value value =
      Parse(R"( {"null":null,"yes":true,"n":7,"less":-7,"x":1.5,"t":"\u00e9\n","a":[1,[]]} )")
          .value();
  EXPECT_TRUE(value.Find("null")->is_null());
  EXPECT_TRUE(value.BooleanOf("yes"));
  EXPECT_EQ(value.WholeNumberOf("n"), 7U);
  EXPECT_EQ(value.IntegerOf("less"), -7);
  EXPECT_EQ(value.NumberOf("x"), 1.5);
  EXPECT_EQ(value.NumberOf("less"), -7);
  EXPECT_EQ(value.TextOf("t"), "é\n");
  EXPECT_EQ(value.ElementsOf("a").size(), 2U);
}

TEST(JsonParse, GivesAnEmptyValueForAMemberOfAnotherType) {
  Value value = Parse(R"({"text":"7","number":-7,"big":18446744073709551615})").value();
  EXPECT_EQ(value.TextOf("number"), "");
  EXPECT_EQ(value.WholeNumberOf("text"), 0U);
  EXPECT_EQ(value.WholeNumberOf("number"), 0U);
  EXPECT_EQ(value.WholeNumberOf("big"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(value.IntegerOf("big"), 0);
  EXPECT_EQ(value.ElementsOf("text").size(), 0U);
  EXPECT_FALSE(value.BooleanOf("missing"));
  EXPECT_EQ(Value().Find("x"), nullptr);
}

TEST(JsonParse, TheLastOfTwoMembersWithOneNameCounts) {
  EXPECT_EQ(Parse(R"({"a":1,"a":2})").value().WholeNumberOf("a"), 2U);
}

TEST(JsonParse, RefusesTextThatIsNotJson) {
  for (std::string_view text : {"", "x", "{", "[1,]", "{'a':1}", "1 2", "\"\xff\"", "01", "1e999",
                                "\"\x01\"", "[1]]", "nul"}) {
    Result<Value> value = Parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::kInvalid);
  }
}

TEST(JsonParse, RefusesNulBytesThatHideWhatFollows) {
  using std::string_view_literals::operator""sv;
  for (std::string_view text : {"{}\0"sv, "{}\n\0{}"sv, "[1]\0x"sv, "\0"sv}) {
    Result<Value> value = Parse(text);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, Errc::kInvalid);
  }
}

TEST(JsonParse, RefusesDeepNestingWithoutOverflowingTheStack) {
  EXPECT_TRUE(Parse(Nested(kMaxDepth)));
  EXPECT_EQ(Parse(Nested(kMaxDepth + 1)).error().code, Errc::kTooLarge);
  EXPECT_EQ(Parse(std::string(1'000'000, '[')).error().code, Errc::kTooLarge);
}

TEST(JsonParse, RefusesALongText) {
  EXPECT_TRUE(Parse("[1,2]", 5));
  EXPECT_EQ(Parse("[1,2]", 4).error().code, Errc::kTooLarge);
}

TEST(JsonWriter, WritesAllOnOneLine) {
  Writer writer;
  writer.BeginObject();
  writer.Member("name", "us-east");
  writer.BeginArray("ports");
  writer.Element(80);
  writer.Element(443);
  writer.EndArray();
  writer.BeginObject("none");
  writer.EndObject();
  writer.EndObject();
  EXPECT_EQ(writer.Take(), R"({"name":"us-east","ports":[80,443],"none":{}})");
}

TEST(JsonWriter, Indents) {
  Writer writer({.indent = 2});
  writer.BeginObject();
  writer.BeginArray("list");
  writer.BeginObject();
  writer.Member("a", 1);
  writer.Member("b", nullptr);
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("none");
  writer.EndArray();
  writer.EndObject();
  EXPECT_EQ(writer.Take(), R"({
  "list": [
    {
      "a": 1,
      "b": null
    }
  ],
  "none": []
})");
}

TEST(JsonWriter, SpellsNumbersSoThatTheyReadTheSame) {
  EXPECT_EQ(Written(0.1), "0.1");
  EXPECT_EQ(Written(3.0), "3.0");
  EXPECT_EQ(Written(1e300), "1e+300");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Written(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(Written(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Written(true), "true");
}

TEST(JsonWriter, EscapesText) { EXPECT_EQ(Written("a\"\\\n\t\x01 é"), R"("a\"\\\n\t\u0001 é")"); }

TEST(JsonWriter, ReplacesOrDropsBytesThatAreNotUtf8) {
  EXPECT_EQ(Written("a\xff"), "\"a\xef\xbf\xbd\"");
  Writer writer({.invalid_utf8 = Writer::InvalidUtf8::kDrop});
  writer.Element("a\xff");
  EXPECT_EQ(writer.Take(), "\"a\"");
}

TEST(JsonWriter, WritesAParsedValueInItsOrder) {
  std::string_view text = R"({"b":[1,-2,2.5,"x",null,true,{}],"a":{"c":[]}})";
  EXPECT_EQ(ToText(Parse(text).value()), text);
}

}  // namespace
}  // namespace meridian::wire::json
