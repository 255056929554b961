#include "http/client/client_connection.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "http/incoming_body.hpp"

namespace meridian::http {

void ResponseMemory::DetachHead(size_t size) {
  const char* from = in.text().data();
  head_text.assign(from, size);
  head.Rebase(from, size, head_text.data());
  in.Consume(size);
}

void ResponseMemory::Clear() {
  EndIncoming(in);
  out.Truncate(0);
  parser.Reset();
  head.Clear();
}

bool ClientConnection::IsFresh(bool ask) {
  if (!stream->MaybeReadable()) return !ask || !stream->AskReadable();
  // The event may be a TLS record without data. An end, an error or an unrequested byte makes the
  // connection useless.
  std::array<uint8_t, 1> unasked;
  Result<size_t> got = stream->TryRead(unasked);
  return got && *got == io::Stream::kBlocked;
}

}  // namespace meridian::http
