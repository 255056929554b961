#include "wire/resp/reply_writer.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/resp/number.hpp"

namespace meridian::wire::resp {
namespace {

constexpr size_t kMaxHeadBytes = 24;  // type byte, 20 digits, line end

// Writes "<kind><number>\r\n" and returns its end.
char* PutHead(char* at, char kind, int64_t number) {
  *at++ = kind;
  if (number >= 0 && number < 10) {
    *at++ = static_cast<char>('0' + number);
  } else {
    at = std::to_chars(at, at + kMaxHeadBytes - 3, number).ptr;
  }
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

}  // namespace

void ReplyWriter::Raw(std::string_view encoded) {
  if (ok_) ok_ = out_.Append(encoded);
}

void ReplyWriter::Line(char kind, std::string_view text) {
  size_t bytes = text.size() + 3;
  MutableBytes space = out_.Prepare(bytes);
  if (!ok_ || space.size() < bytes) {
    ok_ = false;
    return;
  }
  space[0] = static_cast<uint8_t>(kind);
  std::memcpy(space.data() + 1, text.data(), text.size());
  std::memcpy(space.data() + 1 + text.size(), "\r\n", 2);
  out_.Commit(bytes);
}

void ReplyWriter::Error(std::string_view text) {
  size_t start = out_.size();
  Line('-', text);
  if (!ok_) return;
  // The text may quote a client's input, so line ends are replaced.
  uint8_t* line = const_cast<uint8_t*>(out_.readable().data()) + start;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (line[i] == '\r' || line[i] == '\n') line[i] = ' ';
  }
}

void ReplyWriter::Count(char kind, size_t count) {
  MutableBytes space = out_.Prepare(kMaxHeadBytes);
  if (!ok_ || space.size() < kMaxHeadBytes) {
    ok_ = false;
    return;
  }
  char* begin = reinterpret_cast<char*>(space.data());
  out_.Commit(static_cast<size_t>(PutHead(begin, kind, static_cast<int64_t>(count)) - begin));
}

void ReplyWriter::Integer(int64_t value) {
  MutableBytes space = out_.Prepare(kMaxHeadBytes);
  if (!ok_ || space.size() < kMaxHeadBytes) {
    ok_ = false;
    return;
  }
  char* begin = reinterpret_cast<char*>(space.data());
  out_.Commit(static_cast<size_t>(PutHead(begin, ':', value) - begin));
}

void ReplyWriter::Bulk(std::string_view value) {
  size_t most = kMaxHeadBytes + value.size() + 2;
  MutableBytes space = out_.Prepare(most);
  if (!ok_ || space.size() < most) {
    ok_ = false;
    return;
  }
  char* begin = reinterpret_cast<char*>(space.data());
  char* at = PutHead(begin, '$', static_cast<int64_t>(value.size()));
  if (!value.empty()) std::memcpy(at, value.data(), value.size());
  at += value.size();
  at[0] = '\r';
  at[1] = '\n';
  out_.Commit(static_cast<size_t>(at + 2 - begin));
}

void ReplyWriter::BulkInteger(int64_t value) { Bulk(IntegerText(value).text()); }

void ReplyWriter::Boolean(bool value) {
  if (version_ == Version::kResp2) return Integer(value ? 1 : 0);
  Raw(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  if (version_ == Version::kResp2) return Bulk(text);
  Count('=', format.size() + 1 + text.size());
  Raw(format);
  Raw(":");
  Raw(text);
  Raw("\r\n");
}

void ReplyWriter::Map(size_t pairs) {
  if (version_ == Version::kResp2) return Count('*', pairs * 2);
  Count('%', pairs);
}

}  // namespace meridian::wire::resp
