#include "http/memory_stream.hpp"

#include <gtest/gtest.h>

namespace meridian::http {

namespace {

TEST(MemoryStream, UnreadBytesMakeACloseAReset) {
  auto [a, b] = MemoryStream::Pair();
  Bytes data = AsBytes("x");
  EXPECT_EQ(a->TryWrite({&data, 1}).value(), 1u);
  b->Close();
  EXPECT_TRUE(a->hung_up());
}

}  // namespace
}  // namespace meridian::http
