#include "wire/dns/name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "wire/dns/limits.hpp"

namespace meridian::wire::dns {
namespace {

constexpr uint8_t kPointerBits = 0xc0;  // the two top bits of a length byte

bool EqualFolded(const uint8_t* a, const uint8_t* b, size_t size) {
  if (std::memcmp(a, b, size) == 0) return true;
  return std::equal(a, a + size, b,
                    [](uint8_t x, uint8_t y) { return FoldCase(x) == FoldCase(y); });
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads one character of text, escaped or not, and drops it from `*text`; -1 when malformed.
int TakeCharacter(std::string_view* text) {
  char first = text->front();
  text->remove_prefix(1);
  if (first <= ' ' || first > '~') return -1;
  if (first != '\\') return static_cast<uint8_t>(first);
  if (text->empty()) return -1;
  if (!IsDigit(text->front())) {
    char escaped = text->front();
    text->remove_prefix(1);
    return escaped >= ' ' && escaped <= '~' ? escaped : -1;
  }
  if (text->size() < 3 || !IsDigit((*text)[1]) || !IsDigit((*text)[2])) return -1;
  int value = ((*text)[0] - '0') * 100 + ((*text)[1] - '0') * 10 + ((*text)[2] - '0');
  text->remove_prefix(3);
  return value <= 255 ? value : -1;
}

void AppendEscaped(uint8_t byte, std::string* text) {
  if (byte <= ' ' || byte > '~') {
    *text += fmt::format("\\{:03}", byte);
    return;
  }
  if (std::string_view(".\\\";@$()").find(static_cast<char>(byte)) != std::string_view::npos) {
    text->push_back('\\');
  }
  text->push_back(static_cast<char>(byte));
}

}  // namespace

Name& Name::operator=(const Name& other) {
  if (this == &other) return *this;
  size_ = other.size_;
  std::memcpy(bytes_.data(), other.bytes_.data(), size_);
  return *this;
}

bool Name::AppendLabel(Bytes label) {
  size_t grown = size_ + 1 + label.size();
  if (grown > kMaxNameBytes) return false;
  uint8_t* end = bytes_.data() + size_ - 1;  // the root's zero
  *end = static_cast<uint8_t>(label.size());
  std::memcpy(end + 1, label.data(), label.size());
  size_ = static_cast<uint8_t>(grown);
  return true;
}

Result<Name> Name::Parse(std::string_view text) {
  std::string_view rest = text;
  Name name;
  if (text == ".") return name;
  do {
    std::array<uint8_t, kMaxLabelBytes> label{};
    size_t size = 0;
    while (!rest.empty() && rest.front() != '.') {
      int character = TakeCharacter(&rest);
      if (character < 0) return Fail(Errc::kInvalid, "'{}' is not a domain name", text);
      if (size == label.size())
        return Fail(Errc::kTooLarge, "'{}': a label has over 63 bytes", text);
      label[size++] = static_cast<uint8_t>(character);
    }
    if (size == 0) return Fail(Errc::kInvalid, "'{}' has an empty label", text);
    if (!name.AppendLabel({label.data(), size})) {
      return Fail(Errc::kTooLarge, "'{}': a name has at most 255 bytes", text);
    }
    if (!rest.empty()) rest.remove_prefix(1);
  } while (!rest.empty());
  name.Finish();
  return name;
}

int Name::AppendLabels(Bytes bytes, size_t* offset) {
  while (*offset < bytes.size()) {
    uint8_t length = bytes[(*offset)++];
    if (length == 0 || (length & kPointerBits) == kPointerBits) return length;
    if (length > kMaxLabelBytes) return -1;  // label types 01 and 10: obsolete (RFC 6891)
    if (length > bytes.size() - *offset || !AppendLabel(bytes.subspan(*offset, length))) return -1;
    *offset += length;
  }
  return -1;
}

bool Name::Decode(Bytes message, size_t* offset, Name* name) {
  name->size_ = 1;
  size_t at = *offset;
  size_t start = at;
  for (int pointers = 0; pointers <= kMaxCompressionPointers; ++pointers) {
    int stop = name->AppendLabels(message, &at);
    if (stop < 0 || (stop != 0 && at == message.size())) break;
    if (pointers == 0) *offset = stop == 0 ? at : at + 1;
    if (stop == 0) {
      name->Finish();
      return true;
    }
    size_t target = static_cast<size_t>(stop & ~kPointerBits) << 8 | message[at];
    if (target >= start || target < kHeaderBytes) break;
    at = start = target;
  }
  *name = Name();
  return false;
}

bool Name::DecodeUncompressed(Bytes bytes, size_t* offset, Name* name) {
  name->size_ = 1;
  bool whole = name->AppendLabels(bytes, offset) == 0;
  if (!whole) name->size_ = 1;
  name->Finish();
  return whole;
}

Name Name::Parent() const {
  CHECK(!is_root());
  size_t first = size_t{1} + bytes_[0];
  Name parent;
  parent.size_ = static_cast<uint8_t>(size_ - first);
  std::memcpy(parent.bytes_.data(), bytes_.data() + first, parent.size_);
  return parent;
}

Result<Name> Name::Child(std::string_view label) const {
  if (label.empty()) return Fail(Errc::kInvalid, "a label must not be empty");
  if (label.size() > kMaxLabelBytes) {
    return Fail(Errc::kTooLarge, "label '{}' has over 63 bytes", label);
  }
  Name child;
  if (size_ + 1 + label.size() > kMaxNameBytes || !child.AppendLabel(AsBytes(label))) {
    return Fail(Errc::kTooLarge, "'{}' below {}: a name has at most 255 bytes", label, ToString());
  }
  std::memcpy(child.bytes_.data() + child.size_ - 1, bytes_.data(), size_);
  child.size_ = static_cast<uint8_t>(child.size_ - 1 + size_);
  return child;
}

bool Name::IsWithin(const Name& ancestor) const {
  if (size_ < ancestor.size_) return false;
  size_t at = 0;
  while (size_ - at > ancestor.size_) at += size_t{1} + bytes_[at];
  return size_ - at == ancestor.size_ &&
         EqualFolded(bytes_.data() + at, ancestor.bytes_.data(), ancestor.size_);
}

std::string Name::ToString() const {
  if (is_root()) return ".";
  std::string text;
  for (size_t at = 0; bytes_[at] != 0; at += size_t{1} + bytes_[at]) {
    for (size_t i = 1; i <= bytes_[at]; ++i) AppendEscaped(bytes_[at + i], &text);
    text.push_back('.');
  }
  return text;
}

uint64_t Name::Hash() const {
  std::array<char, kMaxNameBytes> folded;  // NOLINT: as much is written as is read
  for (size_t i = 0; i < size_; ++i) folded[i] = static_cast<char>(FoldCase(bytes_[i]));
  return Hash64({folded.data(), size_});
}

bool operator==(const Name& a, const Name& b) {
  return a.size_ == b.size_ && EqualFolded(a.bytes_.data(), b.bytes_.data(), a.size_);
}

}  // namespace meridian::wire::dns
