// A domain name as a value: the uncompressed wire form in a fixed array, nothing on the heap. Owned
// by whoever holds it; any thread may read it.
//
// Invariant: the bytes are labels of 1 to 63 bytes, then the root's zero, at most 255 in all. The
// case of letters is kept, and ignored by comparison and hashing (RFC 4343).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/dns/limits.hpp"

namespace meridian::wire::dns {

class Name {
 public:
  Name() { bytes_[0] = 0; }  // the root
  Name(const Name& other) { *this = other; }
  Name& operator=(const Name& other);
  ~Name() = default;

  // Text with or without the final dot, always absolute; escapes \. and \DDD (RFC 1035 section
  // 5.1). kInvalid for anything else that is not printable ASCII, kTooLarge past 63 or 255 bytes.
  static Result<Name> Parse(std::string_view text);

  // Reads a possibly compressed name of `message` at `*offset` (RFC 1035 section 4.1.4), and moves
  // `*offset` behind it. A pointer must lead backwards, past the header, to before the labels it
  // ends, so every chain of them comes to an end. False when malformed; `*name` is then the root.
  static bool Decode(Bytes message, size_t* offset, Name* name);
  // The same where compression is forbidden, such as in SVCB (RFC 9460 section 2.2).
  static bool DecodeUncompressed(Bytes bytes, size_t* offset, Name* name);

  Bytes wire() const { return {bytes_.data(), size_}; }
  bool is_root() const { return size_ == 1; }

  // The name without its first label. CHECKs that this is not the root.
  Name Parent() const;
  // The name with `label` (raw bytes, no escapes) in front: kInvalid when empty, kTooLarge past 63
  // bytes or when the name grows past 255.
  Result<Name> Child(std::string_view label) const;
  // Whether this is `ancestor` or a name below it.
  bool IsWithin(const Name& ancestor) const;

  // Absolute text that Parse reads back, such as "photos.example." or ".".
  std::string ToString() const;
  uint64_t Hash() const;

  friend bool operator==(const Name& a, const Name& b);

 private:
  bool AppendLabel(Bytes label);
  void Finish() { bytes_[size_ - size_t{1}] = 0; }
  // Appends the labels at `*offset` up to the root or a pointer, whose first byte it returns with
  // `*offset` behind that byte; -1 when malformed.
  int AppendLabels(Bytes bytes, size_t* offset);

  uint8_t size_ = 1;
  std::array<uint8_t, kMaxNameBytes> bytes_;  // NOLINT: only the first size_ are ever read
};

// The lower case of an ASCII letter; every other byte as it is. Label lengths (at most 63) are
// never letters, so whole wire forms can be folded with it.
constexpr uint8_t FoldCase(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + ('a' - 'A')) : byte;
}

}  // namespace meridian::wire::dns
