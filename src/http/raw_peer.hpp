// For tests: one end of a connection, whose bytes of HTTP the test writes and reads itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/net/stream.hpp"
#include "io/task.hpp"

namespace meridian::http {

class RawPeer {
 public:
  explicit RawPeer(io::Stream& stream) : stream_(stream) {}

  // False: the text could not be sent.
  io::Task<bool> Send(std::string_view text) {
    co_return (co_await stream_.Write(AsBytes(text))).has_value();
  }

  // Returns the bytes up to and including the first `end`; later bytes stay. At the end of the
  // connection, or at `deadline`, returns the bytes that arrived, with "!" and the error's name
  // after an error.
  io::Task<std::string> ReadUntil(std::string_view end, TimePoint deadline = kNever) {
    while (arrived_.find(end) == std::string::npos) {
      std::vector<uint8_t> space(100'000);
      Result<size_t> got = co_await stream_.Read(space, deadline);
      if (!got) co_return Take(arrived_.size()) + "!" + std::string(ErrcName(got.error().code));
      if (*got == 0) co_return Take(arrived_.size());
      arrived_ += AsText({space.data(), *got});
    }
    co_return Take(arrived_.find(end) + end.size());
  }
  io::Task<std::string> ReadHead() { co_return co_await ReadUntil("\r\n\r\n"); }
  io::Task<std::string> ReadToEnd() { co_return co_await ReadUntil("\xff (never sent) \xff"); }
  io::Task<std::string> ReadBytes(size_t count) {
    std::vector<uint8_t> space(count);
    while (arrived_.size() < count) {
      Result<size_t> got = co_await stream_.Read(space);
      if (!got || *got == 0) break;
      arrived_ += AsText({space.data(), *got});
    }
    co_return Take(count);
  }

 private:
  std::string Take(size_t count) {
    std::string taken = arrived_.substr(0, count);
    arrived_.erase(0, count);
    return taken;
  }

  io::Stream& stream_;
  std::string arrived_;
};

// `text` without its Date fields.
inline std::string WithoutDate(std::string text) {
  for (size_t at = 0; (at = text.find("Date: ", at)) != std::string::npos;) {
    text.erase(at, text.find("\r\n", at) + 2 - at);
  }
  return text;
}

}  // namespace meridian::http
