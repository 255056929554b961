#include "wire/http/head_writer.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::wire::http {
namespace {

bool IsWritableValue(std::string_view value) {
  const char* begin = value.data();
  const char* end = begin + value.size();
  return SkipValueChars(begin, end) == end;
}

bool IsWritablePath(std::string_view path) {
  if (path == "*") return true;
  if (!path.starts_with('/')) return false;
  for (char c : path) {
    if (!Is(c, kPathChar) && c != '%') return false;
  }
  return true;
}

}  // namespace

void HeadWriter::RequestLine(std::string_view method, std::string_view path,
                             std::optional<std::string_view> query) {
  if (!IsToken(method) || !IsWritablePath(path) || (query && !All(*query, kQueryChar))) {
    ok_ = false;
    return;
  }
  std::string_view question = query ? "?" : "";
  Append({method, " ", path, question, query.value_or(""), " HTTP/1.1\r\n"});
}

void HeadWriter::StatusLine(int status, std::string_view reason) {
  if (reason.empty()) reason = ReasonPhrase(status);
  if (status < 100 || status > 599 || !IsWritableValue(reason)) {
    ok_ = false;
    return;
  }
  const std::array<char, 3> digits = {static_cast<char>('0' + status / 100),
                                      static_cast<char>('0' + status / 10 % 10),
                                      static_cast<char>('0' + status % 10)};
  Append({"HTTP/1.1 ", {digits.data(), digits.size()}, " ", reason, "\r\n"});
}

void HeadWriter::LastChunk() { Append({"0\r\n"}); }

void HeadWriter::Field(std::string_view name, std::string_view value) {
  ok_ = ok_ && IsToken(name) && IsWritableValue(value);
  CheckedField(name, value);
}

void HeadWriter::Field(const HeaderField& field) {
  field.checked ? CheckedField(field.name, field.value) : Field(field.name, field.value);
}

void HeadWriter::CheckedField(std::string_view name, std::string_view value) {
  constexpr std::string_view kColon = ": ";
  constexpr std::string_view kEnd = "\r\n";
  size_t total = name.size() + kColon.size() + value.size() + kEnd.size();
  MutableBytes space = ok_ ? out_->Prepare(total) : MutableBytes{};
  if (space.size() < total) {
    ok_ = false;
    return;
  }
  // Does not use Append, because most written bytes pass here.
  uint8_t* at = space.data();
  std::memcpy(at, name.data(), name.size());
  at += name.size();
  std::memcpy(at, kColon.data(), kColon.size());
  at += kColon.size();
  if (!value.empty()) std::memcpy(at, value.data(), value.size());
  at += value.size();
  std::memcpy(at, kEnd.data(), kEnd.size());
  out_->Commit(total);
}

void HeadWriter::NumberField(std::string_view name, uint64_t value) {
  std::array<char, 20> digits;
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  Field(name, std::string_view{digits.data(), end});
}

bool HeadWriter::Finish() {
  Append({"\r\n"});
  if (!ok_) out_->Truncate(start_);
  return ok_;
}

void HeadWriter::Append(std::initializer_list<std::string_view> pieces) {
  size_t total = 0;
  for (std::string_view piece : pieces) total += piece.size();
  MutableBytes space = ok_ ? out_->Prepare(total) : MutableBytes{};
  if (space.size() < total) {
    ok_ = false;
    return;
  }
  uint8_t* at = space.data();
  for (std::string_view piece : pieces) {
    std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  out_->Commit(total);
}

}  // namespace meridian::wire::http
