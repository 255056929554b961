// A domain name as a value: the uncompressed wire form in a fixed array, without heap memory.
// Thread-safe for reading.
//
// Invariant: the bytes are labels of 1 to 63 bytes, then the root's zero, at most 255 in all.
// Letters keep their case; comparison and hashing ignore it (RFC 4343).
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
  // `*offset` behind it. A pointer must point backwards, behind the header and in front of the
  // labels that lead to it, so that every chain of pointers ends. False: malformed; `*name` is then
  // the root.
  static bool Decode(Bytes message, size_t* offset, Name* name);
  // The same where compression is forbidden, as in SVCB (RFC 9460 section 2.2).
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

  // Absolute text that Parse accepts, such as "photos.example." or ".".
  std::string ToString() const;
  uint64_t Hash() const;

  friend bool operator==(const Name& a, const Name& b);

 private:
  bool AppendLabel(Bytes label);
  void Finish() { bytes_[size_ - size_t{1}] = 0; }
  // Appends the labels at `*offset` up to the root or a pointer. Returns the first byte of that,
  // and moves `*offset` behind it; -1: malformed.
  int AppendLabels(Bytes bytes, size_t* offset);

  uint8_t size_ = 1;
  std::array<uint8_t, kMaxNameBytes> bytes_;  // NOLINT: only the first size_ are ever read
};

// The lower case of an ASCII letter; other bytes unchanged. Lengths of labels (at most 63) are
// never letters, so it can be applied to whole wire forms.
constexpr uint8_t FoldCase(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + ('a' - 'A')) : byte;
}

}  // namespace meridian::wire::dns
