// Chunked bodies: any split of the input gives the same data, trailers and outcome, and what was
// decoded can be encoded so that it decodes to the same again. The first byte chooses the split.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/chunked.hpp"

namespace meridian::wire::http {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
  State state = State::kNeedMore;
  ParseError error = {};
  std::string data;
  size_t consumed = 0;
};

Decoded Decode(ChunkedDecoder* decoder, std::string_view input, size_t piece) {
  Decoded decoded;
  for (size_t arrived = 0; arrived < input.size() && decoded.state == State::kNeedMore;) {
    arrived = std::min(arrived + piece, input.size());
    do {
      std::string_view bytes = input.substr(decoded.consumed, arrived - decoded.consumed);
      ChunkedDecoder::Step step = decoder->Feed(bytes);
      CHECK(step.consumed <= bytes.size());
      CHECK(step.data.empty() || step.data.data() >= bytes.data());
      CHECK(step.data.empty() ||
            step.data.data() + step.data.size() <= bytes.data() + step.consumed);
      CHECK(step.state != State::kNeedMore || step.consumed > 0);
      decoded.data += step.data;
      decoded.consumed += step.consumed;
      decoded.state = step.state;
      decoded.error = step.error;
    } while (decoded.state == State::kNeedMore && decoded.consumed < arrived);
  }
  return decoded;
}

std::string Encode(const std::string& data, const HeaderFields& trailers, size_t chunk) {
  std::string encoded;
  for (size_t at = 0; at < data.size(); at += chunk) {
    std::string piece = data.substr(at, chunk);
    encoded.append(ChunkHeader(piece.size()).text()).append(piece).append(kChunkEnd);
  }
  Buffer end(16 * 1024);
  CHECK(WriteLastChunk(trailers, &end));
  return encoded.append(end.text());
}

void CheckSameTrailers(const ChunkedDecoder& a, const ChunkedDecoder& b) {
  CHECK(a.trailers().size() == b.trailers().size());
  for (size_t i = 0; i < a.trailers().size(); ++i) CHECK(a.trailers()[i] == b.trailers()[i]);
}

void Fuzz(std::string_view input, size_t piece) {
  ChunkedDecoder whole_decoder;
  Decoded whole = Decode(&whole_decoder, input, std::max<size_t>(input.size(), 1));
  ChunkedDecoder pieces_decoder;
  Decoded pieces = Decode(&pieces_decoder, input, piece);
  CHECK(whole.state == pieces.state && whole.data == pieces.data);
  CHECK(whole.consumed == pieces.consumed);
  CHECK(whole.state != State::kError || whole.error == pieces.error);
  if (whole.state != State::kDone) return;
  CheckSameTrailers(whole_decoder, pieces_decoder);

  ChunkedDecoder again_decoder;
  std::string encoded = Encode(whole.data, whole_decoder.trailers(), piece);
  Decoded again = Decode(&again_decoder, encoded, encoded.size());
  CHECK(again.state == State::kDone && again.data == whole.data);
  CHECK(again.consumed == encoded.size());
  CheckSameTrailers(whole_decoder, again_decoder);
}

}  // namespace
}  // namespace meridian::wire::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  meridian::wire::http::Fuzz(input, size_t{data[0]} % 31 + 1);
  return 0;
}
