#include "wire/http/head_writer.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/field_line.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::wire::http {
namespace {

TEST(HeadWriter, WritesRequestsAndResponses) {
  Buffer buffer(1024);
  HeadWriter request(&buffer);
  request.RequestLine("GET", "/a%20b", "c=d");
  request.Field("Host", "a");
  ASSERT_TRUE(request.Finish());
  EXPECT_EQ(buffer.text(), "GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\n\r\n");

  buffer.Consume(buffer.size());
  HeadWriter response(&buffer);
  response.StatusLine(404);
  response.Field("Content-Length", uint64_t{18446744073709551615u});
  response.Field("Empty", "");
  ASSERT_TRUE(response.Finish());
  EXPECT_EQ(buffer.text(),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 18446744073709551615\r\nEmpty: \r\n\r\n");
}

TEST(HeadWriter, OnlyAFieldThatTheParserCheckedIsWrittenUnchecked) {
  Buffer buffer(1024);
  HeadWriter unchecked(&buffer);
  unchecked.Field(HeaderField{.name = "X", .value = "a\r\nY: b"});
  EXPECT_FALSE(unchecked.Finish());
  HeaderField parsed;
  ASSERT_TRUE(ParseFieldLine("X-Name:\t a b \r\n", &parsed));
  EXPECT_TRUE(parsed.checked);
  HeadWriter writer(&buffer);
  writer.Field(parsed);
  ASSERT_TRUE(writer.Finish());
  EXPECT_EQ(buffer.text(), "X-Name: a b\r\n\r\n");
}

TEST(HeadWriter, WritesTheReasonThatItIsGiven) {
  Buffer buffer(1024);
  HeadWriter writer(&buffer);
  writer.StatusLine(299, "Fine \xe9");
  ASSERT_TRUE(writer.Finish());
  EXPECT_EQ(buffer.text(), "HTTP/1.1 299 Fine \xe9\r\n\r\n");
}

TEST(HeadWriter, InjectionFailsTheHeadAndLeavesTheBufferUnchanged) {
  using Write = void (*)(HeadWriter&);
  for (Write write : {
           Write([](HeadWriter& w) { w.Field("X", "a\r\nY: b"); }),
           Write([](HeadWriter& w) { w.Field("X", "a\nb"); }),
           Write([](HeadWriter& w) { w.Field("X", "a\rb"); }),
           Write([](HeadWriter& w) { w.Field("X", std::string_view("a\0b", 3)); }),
           Write([](HeadWriter& w) { w.Field("X", "0123456789abcdef\x7f"); }),
           Write([](HeadWriter& w) { w.Field("", "a"); }),
           Write([](HeadWriter& w) { w.Field("X: y\r\nZ", "a"); }),
           Write([](HeadWriter& w) { w.Field("X ", "a"); }),
           Write([](HeadWriter& w) { w.StatusLine(200, "OK\r\nX: y"); }),
           Write([](HeadWriter& w) { w.StatusLine(99); }),
           Write([](HeadWriter& w) { w.StatusLine(600); }),
           Write([](HeadWriter& w) { w.RequestLine("GE T", "/"); }),
           Write([](HeadWriter& w) { w.RequestLine("", "/"); }),
           Write([](HeadWriter& w) { w.RequestLine("GET", "/a b"); }),
           Write([](HeadWriter& w) { w.RequestLine("GET", "/a?b"); }),
           Write([](HeadWriter& w) { w.RequestLine("GET", "a"); }),
           Write([](HeadWriter& w) { w.RequestLine("GET", ""); }),
           Write([](HeadWriter& w) { w.RequestLine("GET", "/", "a\r\n"); }),
       }) {
    Buffer buffer(1024);
    ASSERT_TRUE(buffer.Append("before"));
    HeadWriter writer(&buffer);
    writer.Field("First", "ok");
    write(writer);
    writer.Field("Last", "ok");
    EXPECT_FALSE(writer.Finish());
    EXPECT_EQ(buffer.text(), "before");
  }
}

TEST(HeadWriter, HeadThatJustFitsIsWrittenAndOneByteMoreIsNot) {
  constexpr size_t kHeadBytes = 27;  // status line 17, field 8, empty line 2
  for (size_t limit : {kHeadBytes, kHeadBytes - 1}) {
    Buffer buffer(limit);
    HeadWriter writer(&buffer);
    writer.StatusLine(200);
    writer.Field("X", "abc");
    EXPECT_EQ(writer.Finish(), limit == kHeadBytes);
    EXPECT_EQ(buffer.size(), limit == kHeadBytes ? kHeadBytes : 0);
  }
}

TEST(Status, PhrasesAndMethodProperties) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(511), "Network Authentication Required");
  EXPECT_EQ(ReasonPhrase(299), "Status");
  EXPECT_TRUE(IsSafeMethod("HEAD"));
  EXPECT_FALSE(IsSafeMethod("PUT"));
  EXPECT_TRUE(IsIdempotentMethod("PUT"));
  EXPECT_FALSE(IsIdempotentMethod("POST"));
  EXPECT_FALSE(IsIdempotentMethod("get"));
}

}  // namespace
}  // namespace meridian::wire::http
