#include "wire/resp/reply_writer.hpp"

#include <functional>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace meridian::wire::resp {
namespace {

std::string Written(Version version, const std::function<void(ReplyWriter&)>& write) {
  Buffer buffer(4096);
  ReplyWriter writer(&buffer, version);
  write(writer);
  EXPECT_TRUE(writer.ok());
  return std::string(buffer.text());
}

void ExpectWritten(const std::string& resp2, const std::string& resp3,
                   const std::function<void(ReplyWriter&)>& write) {
  EXPECT_EQ(Written(Version::kResp2, write), resp2);
  EXPECT_EQ(Written(Version::kResp3, write), resp3);
}

void ExpectSame(const std::string& both, const std::function<void(ReplyWriter&)>& write) {
  ExpectWritten(both, both, write);
}

TEST(ReplyWriter, WritesWhatBothVersionsShare) {
  ExpectSame("+PONG\r\n", [](ReplyWriter& w) { w.SimpleString("PONG"); });
  ExpectSame("+OK\r\n", [](ReplyWriter& w) { w.Ok(); });
  ExpectSame(":-12\r\n", [](ReplyWriter& w) { w.Integer(-12); });
  ExpectSame(":-9223372036854775808\r\n",
             [](ReplyWriter& w) { w.Integer(std::numeric_limits<int64_t>::min()); });
  ExpectSame("$0\r\n\r\n", [](ReplyWriter& w) { w.Bulk(""); });
  ExpectSame("$4\r\na\r\nb\r\n", [](ReplyWriter& w) { w.Bulk("a\r\nb"); });
  ExpectSame("$2\r\n42\r\n", [](ReplyWriter& w) { w.BulkInteger(42); });
  ExpectSame("*12\r\n", [](ReplyWriter& w) { w.Array(12); });
}

TEST(ReplyWriter, WritesForOldClientsWhatTheyKnow) {
  ExpectWritten("$-1\r\n", "_\r\n", [](ReplyWriter& w) { w.Null(); });
  ExpectWritten("*-1\r\n", "_\r\n", [](ReplyWriter& w) { w.NullArray(); });
  ExpectWritten(":1\r\n", "#t\r\n", [](ReplyWriter& w) { w.Boolean(true); });
  ExpectWritten(":0\r\n", "#f\r\n", [](ReplyWriter& w) { w.Boolean(false); });
  ExpectWritten("*4\r\n", "%2\r\n", [](ReplyWriter& w) { w.Map(2); });
  ExpectWritten("*2\r\n", "~2\r\n", [](ReplyWriter& w) { w.Set(2); });
  ExpectWritten("*2\r\n", ">2\r\n", [](ReplyWriter& w) { w.Push(2); });
  ExpectWritten("$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n",
                [](ReplyWriter& w) { w.Verbatim("txt", "hi"); });
}

TEST(ReplyWriter, ErrorIsOneLineWhateverItQuotes) {
  ExpectSame("-ERR unknown 'a  b'\r\n", [](ReplyWriter& w) { w.Error("ERR unknown 'a\r\nb'"); });
}

TEST(ReplyWriter, OutputPastItsLimitIsToldAndNotWritten) {
  Buffer buffer(64);
  ReplyWriter writer(&buffer, Version::kResp2);
  writer.Bulk(std::string(30, 'x'));
  EXPECT_TRUE(writer.ok());
  size_t before = buffer.size();
  writer.Bulk(std::string(30, 'y'));
  EXPECT_FALSE(writer.ok());
  writer.Integer(1);
  EXPECT_EQ(buffer.size(), before);
}

}  // namespace
}  // namespace meridian::wire::resp
