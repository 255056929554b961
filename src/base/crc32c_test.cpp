#include "base/crc32c.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian {
namespace {

// RFC 3720 appendix B.4, and the check value of the catalogue of CRCs.
TEST(Crc32cTest, KnownValues) {
  EXPECT_EQ(Crc32c({}), 0U);
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283U);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0)), 0x8a9136aaU);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43U);
}

TEST(Crc32cTest, PortableOneGivesTheSameAtEveryLengthAndCut) {
  Random random(1);
  std::vector<uint8_t> data(300);
  for (uint8_t& byte : data) byte = static_cast<uint8_t>(random.Next());
  for (size_t size = 0; size < data.size(); ++size) {
    Bytes bytes = Bytes(data).first(size);
    Bytes head = bytes.first(size / 3);
    Bytes tail = bytes.subspan(size / 3);
    EXPECT_EQ(internal::PortableCrc32c(bytes, 0), Crc32c(bytes));
    EXPECT_EQ(Crc32c(tail, Crc32c(head)), Crc32c(bytes));
  }
}

}  // namespace
}  // namespace meridian
