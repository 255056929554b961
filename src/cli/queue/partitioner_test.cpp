#include "cli/queue/partitioner.hpp"

#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

struct Known {
  std::string_view key;
  int32_t hash;
  int32_t partition_of_12;
};

// By kafka-python 2.0.2.
constexpr Known kKnown[] = {{"", 275646681, 9},
                            {"0", 971027396, 8},
                            {"photo-1", -1194523535, 9},
                            {"ab", 316155434, 2},
                            {"abc", 479470107, 3},
                            {"\xff\xfe", 1717632651, 3},
                            {"a-little-bit-longer-string", -1486304829, 11}};

TEST(Partitioner, HashesAndPartitionsAreThoseOfKafkasClients) {
  for (const Known& known : kKnown) {
    EXPECT_EQ(static_cast<int32_t>(Murmur2(known.key)), known.hash) << known.key;
    EXPECT_EQ(PartitionOfKey(known.key, 12), known.partition_of_12) << known.key;
    EXPECT_EQ(PartitionOfKey(known.key, 1), 0) << known.key;
  }
}

}  // namespace
}  // namespace meridian::cli
