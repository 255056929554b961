// ReplyWriter: appends replies of a Redis server, in RESP2 or RESP3 (redis.io, "Redis serialization
// protocol specification"), to a connection's output. Types that RESP2 lacks are written as Redis
// writes them to a RESP2 client: a map as an array of twice the length, a double as a bulk, and so
// on.
//
// Pure; made anew for each loop iteration; refers to the Buffer. Past the buffer's limit it stops
// writing and ok() is false: the connection must then be closed, because its output has a gap.
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
  // Bytes in the buffer, for CutBack.
  size_t size() const { return out_.size(); }
  // Removes the bytes after the first `size`.
  void CutBack(size_t size) { out_.Truncate(size); }
  // Reserves space for `bytes` bytes of replies.
  void Reserve(size_t bytes) { (void)out_.Prepare(bytes); }

  // `text` must not contain a line end.
  void SimpleString(std::string_view text) { Line('+', text); }
  void Ok() { Raw("+OK\r\n"); }
  // An error such as "ERR …" or "WRONGTYPE …". Line ends in `text` are written as blanks.
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view value);
  void BulkInteger(int64_t value);
  // A missing value.
  void Null() { Raw(version_ == Version::kResp2 ? "$-1\r\n" : "_\r\n"); }
  // A missing array.
  void NullArray() { Raw(version_ == Version::kResp2 ? "*-1\r\n" : "_\r\n"); }
  // RESP2: the integer 1 or 0.
  void Boolean(bool value);
  // Text with its format, "txt" or "mkd". RESP2: a bulk.
  void Verbatim(std::string_view format, std::string_view text);

  // Heads of aggregates; `count` replies (pairs, for a map) must follow.
  void Array(size_t count) { Count('*', count); }
  void Map(size_t pairs);
  void Set(size_t count) { Count(version_ == Version::kResp2 ? '*' : '~', count); }
  // A push message, which answers no request.
  void Push(size_t count) { Count(version_ == Version::kResp2 ? '*' : '>', count); }

  // Appends encoded replies.
  void Raw(std::string_view encoded);

 private:
  void Line(char kind, std::string_view text);
  void Count(char kind, size_t count);

  Buffer& out_;
  Version version_;
  bool ok_ = true;
};

}  // namespace meridian::wire::resp
