#include "agent/engines/engine_text.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {
namespace {

TEST(EngineText, IsJsonBehindAComment) {
  EXPECT_EQ(EngineText("who wrote it", "{}"), "# who wrote it\n{}\n");
  EXPECT_EQ(EngineText("", "[]"), "[]\n");
}

TEST(EngineText, NoTextEndsALineOfYamlOrIsRefusedByIt) {
  const std::string hostile =
      "a: b # \"c\" 'd' \\ \n\t\r\x01\x7f \xc2\x80\xc2\x85\xc2\x9f\xc2\xa0 "
      "\xe2\x80\xa8\xe2\x80\xa9 \xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf \xc3\xa9 \xf0\x9f\x98\x80";
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("name", hostile);
  writer.EndObject();
  const std::string text = EngineText("", writer.Take());
  for (const char* refused : {"\x7f", "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\xe2\x80\xa8",
                              "\xe2\x80\xa9", "\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    EXPECT_FALSE(text.contains(refused)) << refused;
  }
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  Result<wire::json::Value> back = wire::json::Parse(text);
  ASSERT_TRUE(back) << text;
  EXPECT_EQ(back->TextOf("name"), hostile);
}

}  // namespace
}  // namespace meridian::agent
