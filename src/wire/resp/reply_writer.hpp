// Replies of a Redis server, in RESP2 or RESP3 (redis.io, "Redis serialization protocol
// specification"), appended to a connection's output. What RESP2 does not know is written as Redis
// writes it to an old client: a map as an array of twice as many, a double as a bulk, and so on.
//
// Pure; made for a turn, it refers to the Buffer. Past the buffer's limit it writes no more and
// ok() is false: the connection must then be closed, as its output has a hole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace meridian::wire::resp {

enum class Version : uint8_t { kResp2 = 2, kResp3 = 3 };

class ReplyWriter {
 public:
  ReplyWriter(Buffer* out, Version version) : out_(*out), version_(version) {}

  Version version() const { return version_; }
  void set_version(Version version) { version_ = version; }
  bool ok() const { return ok_; }
  // Bytes in the buffer so far, for CutBack.
  size_t size() const { return out_.size(); }
  // Takes back what was written since `size` bytes were there.
  void CutBack(size_t size) { out_.Truncate(size); }
  // Room for `bytes` of replies at once.
  void Reserve(size_t bytes) { (void)out_.Prepare(bytes); }

  // One line: `text` has no line end.
  void SimpleString(std::string_view text) { Line('+', text); }
  void Ok() { Raw("+OK\r\n"); }
  // "ERR …", "WRONGTYPE …": line ends in it become blanks.
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view value);
  void BulkInteger(int64_t value);
  // Nothing, where a value was asked for.
  void Null() { Raw(version_ == Version::kResp2 ? "$-1\r\n" : "_\r\n"); }
  // Nothing, where an array was asked for.
  void NullArray() { Raw(version_ == Version::kResp2 ? "*-1\r\n" : "_\r\n"); }
  // RESP2: the integer 1 or 0.
  void Boolean(bool value);
  // Text with its format, "txt" or "mkd"; RESP2: a bulk.
  void Verbatim(std::string_view format, std::string_view text);

  // The heads of aggregates: as many replies (pairs, for a map) follow.
  void Array(size_t count) { Count('*', count); }
  void Map(size_t pairs);
  void Set(size_t count) { Count(version_ == Version::kResp2 ? '*' : '~', count); }
  // Out of band: not an answer to a request.
  void Push(size_t count) { Count(version_ == Version::kResp2 ? '*' : '>', count); }

  // Replies that were encoded before.
  void Raw(std::string_view encoded);

 private:
  void Line(char kind, std::string_view text);
  void Count(char kind, size_t count);

  Buffer& out_;
  Version version_;
  bool ok_ = true;
};

}  // namespace meridian::wire::resp
