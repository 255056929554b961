#include "wire/http/chunked.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/case_file.hpp"

namespace meridian::wire::http {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
  ChunkedDecoder::Step last;
  std::string data;
  size_t consumed = 0;
};

// Feeds `input` in pieces of `piece` bytes, as bytes would arrive in a buffer.
Decoded Decode(ChunkedDecoder* decoder, std::string_view input, size_t piece) {
  Decoded decoded;
  for (size_t arrived = 0; arrived < input.size();) {
    arrived = std::min(arrived + piece, input.size());
    do {
      decoded.last = decoder->Feed(input.substr(decoded.consumed, arrived - decoded.consumed));
      decoded.data += decoded.last.data;
      decoded.consumed += decoded.last.consumed;
    } while (decoded.last.state == State::kNeedMore && decoded.consumed < arrived);
    if (decoded.last.state != State::kNeedMore) break;
  }
  return decoded;
}

std::string OutcomeText(const ChunkedDecoder& decoder, const Decoded& decoded, size_t input_size) {
  if (decoded.last.state == State::kError) return std::string(Describe(decoded.last.error));
  std::string text = decoded.last.state == State::kDone ? "ok" : "more";
  if (!decoded.data.empty()) text += " " + decoded.data;
  if (!decoder.trailers().empty()) text += " ;";
  for (const HeaderField& field : decoder.trailers()) {
    text += " " + std::string(field.name) + "=" + std::string(field.value);
  }
  size_t rest = input_size - decoded.consumed;
  if (rest > 0) text += " rest " + std::to_string(rest);
  return text;
}

TEST(ChunkedDecoder, AgreesWithTheCaseFileForEverySplitOfTheInput) {
  for (const FileCase& each : ReadCases("chunked_cases.txt")) {
    for (size_t piece : {each.input.size(), size_t{1}, size_t{2}, size_t{5}}) {
      ChunkedDecoder decoder;
      Decoded decoded = Decode(&decoder, each.input, piece);
      EXPECT_EQ(OutcomeText(decoder, decoded, each.input.size()), each.expected)
          << "line " << each.line << ", in pieces of " << piece;
    }
  }
}

TEST(ChunkedDecoder, DataIsNotCopied) {
  std::string input = "3\r\nabc\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.Feed(input).data.data(), input.data() + 3);
}

TEST(ChunkedDecoder, DecodesAnotherBodyAfterReset) {
  ChunkedDecoder decoder;
  EXPECT_EQ(Decode(&decoder, "1\r\na\r\n0\r\nX: y\r\n\r\n", 100).last.state, State::kDone);
  decoder.Reset();
  Decoded second = Decode(&decoder, "2\r\nbc\r\n0\r\n\r\n", 100);
  EXPECT_EQ(second.last.state, State::kDone);
  EXPECT_EQ(second.data, "bc");
  EXPECT_TRUE(decoder.trailers().empty());
}

ChunkedDecoder::Step LastStep(const std::string& input) {
  ChunkedDecoder decoder;
  return Decode(&decoder, input, input.size()).last;
}

TEST(ChunkedDecoder, ExtensionAtTheLimitIsTakenAndOneByteMoreIsRefused) {
  auto body = [](size_t size) { return "0;" + std::string(size - 1, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(LastStep(body(kMaxChunkExtensionBytes)).state, State::kDone);
  EXPECT_EQ(LastStep(body(kMaxChunkExtensionBytes + 1)).error, ParseError::kChunkExtensionTooLong);
}

TEST(ChunkedDecoder, ExtensionsOfOneBodyTogetherAreBounded) {
  std::string chunk = "1;" + std::string(127, 'x') + "\r\na\r\n";
  std::string body;
  for (size_t bytes = 0; bytes < kMaxBodyExtensionBytes; bytes += 128) body += chunk;
  EXPECT_EQ(LastStep(body + "0\r\n\r\n").state, State::kDone);
  EXPECT_EQ(LastStep(body + "0;\r\n\r\n").error, ParseError::kChunkExtensionTooLong);
}

TEST(ChunkedDecoder, TrailersAtTheLimitAreTakenAndOneByteMoreIsRefused) {
  auto body = [](size_t size) { return "0\r\nX: " + std::string(size - 7, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(LastStep(body(kMaxTrailerBytes)).state, State::kDone);
  EXPECT_EQ(LastStep(body(kMaxTrailerBytes + 1)).error, ParseError::kTrailersTooLarge);
}

TEST(ChunkedDecoder, AsManyTrailersAsTheLimitAreTakenAndOneMoreIsRefused) {
  std::string body = "0\r\n";
  for (size_t i = 0; i < kMaxTrailerFields; ++i) body += "X: y\r\n";
  EXPECT_EQ(LastStep(body + "\r\n").state, State::kDone);
  EXPECT_EQ(LastStep(body + "X: y\r\n\r\n").error, ParseError::kTrailersTooLarge);
}

TEST(ChunkHeader, WritesTheSizeInHexadecimal) {
  EXPECT_EQ(ChunkHeader(1).text(), "1\r\n");
  EXPECT_EQ(ChunkHeader(0xab0).text(), "ab0\r\n");
  EXPECT_EQ(ChunkHeader(UINT64_MAX).text(), "ffffffffffffffff\r\n");
}

TEST(WriteLastChunk, WritesOnlyAllowedTrailers) {
  Buffer buffer(1024);
  HeaderFields trailers;
  trailers.Add("X", "y");
  trailers.Add("Content-Length", "5");
  ASSERT_TRUE(WriteLastChunk(trailers, &buffer));
  EXPECT_EQ(buffer.text(), "0\r\nX: y\r\n\r\n");
}

TEST(WriteLastChunk, InjectionThroughATrailerWritesNothing) {
  Buffer buffer(1024);
  HeaderFields trailers;
  trailers.Add("X", "y\r\nZ: 1");
  EXPECT_FALSE(WriteLastChunk(trailers, &buffer));
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace meridian::wire::http
