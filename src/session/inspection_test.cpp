#include "session/inspection.hpp"

#include <gtest/gtest.h>

#include "session/engine/engine_fixture.hpp"

namespace meridian::session {
namespace {

class DigestTest : public testing::Test {
 protected:
  static uint64_t Digest(EngineFixture& fixture) {
    return DigestOf(fixture.engine->keyspace(), *fixture.engine->keyspace().Peek("k"));
  }
  // Of the key k after these.
  static uint64_t After(std::initializer_list<std::string_view> lines) {
    EngineFixture fixture;
    for (std::string_view line : lines) fixture.Say(line);
    return Digest(fixture);
  }
};

TEST_F(DigestTest, DependsOnTheContentAndNotOnItsHistory) {
  EXPECT_EQ(After({"SET k 3"}), After({"SET k 1", "INCRBY k 2"}));
  EXPECT_EQ(After({"HSET k a 1 b 2"}), After({"HSET k b 2 c 3", "HSET k a 1", "HDEL k c"}));
  EXPECT_EQ(After({"SADD k a b"}), After({"SADD k b a c", "SREM k c"}));
}

TEST_F(DigestTest, DiffersWithContentTypeAndEnd) {
  EXPECT_NE(After({"SET k 3"}), After({"SET k 4"}));
  EXPECT_NE(After({"HSET k a 1 b 2"}), After({"HSET k a 2 b 1"}));
  EXPECT_NE(After({"SADD k a"}), After({"SADD k a b"}));
  EXPECT_NE(After({"SADD k a"}), After({"HSET k a a"}));
  EXPECT_NE(After({"SET k 3"}), After({"SET k 3", "PEXPIREAT k 99999999999999"}));
}

}  // namespace
}  // namespace meridian::session
