#include "session/basis.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::session {
namespace {

// No version of a record.
constexpr uint8_t kBasisMark = 0xff;

void PutNumber(uint64_t number, std::string* into) {
  for (int shift = 56; shift >= 0; shift -= 8) *into += static_cast<char>(number >> shift);
}

}  // namespace

// The mark, u64 known, u8 count, then for each u8 bytes of the name, the name, u64 offset;
// big-endian.
std::string EncodeBasis(const SnapshotBasis& basis) {
  std::string bytes(1, static_cast<char>(kBasisMark));
  PutNumber(basis.known.bits, &bytes);
  bytes += static_cast<char>(basis.applied.size());
  for (const auto& [name, offset] : basis.applied) {
    bytes += static_cast<char>(name.size());
    bytes += name;
    PutNumber(offset, &bytes);
  }
  return bytes;
}

bool IsBasis(Bytes item) { return !item.empty() && item[0] == kBasisMark; }

Result<SnapshotBasis> DecodeBasis(Bytes item) {
  ByteReader reader(item);
  SnapshotBasis basis;
  bool marked = reader.U8() == kBasisMark;
  basis.known.bits = reader.U64();
  size_t count = reader.U8();
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    std::string name(AsText(reader.Take(reader.U8())));
    basis.applied[name] = reader.U64();
  }
  if (!marked || !reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "what a session snapshot stands for cannot be read");
  }
  return basis;
}

}  // namespace meridian::session
