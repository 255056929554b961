#include "edge/fetch/loop_detection.hpp"

#include <string>

#include <gtest/gtest.h>

#include "edge/fetch/routes.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;

bool Loops(std::string_view name, std::string_view value) {
  HeaderFields fields;
  fields.Add(name, value);
  return IsLoop(fields, LoopId(1));
}

TEST(LoopDetection, ARequestThatThisEdgeHasSignedIsALoop) {
  const std::string own = LoopId(1);
  EXPECT_EQ(own, "meridian-edge-0000000000000001");
  EXPECT_TRUE(Loops("CDN-Loop", own));
  EXPECT_TRUE(Loops("cdn-loop", "other; a=\"x, y\", " + own + " ; v=1"));
  EXPECT_FALSE(Loops("CDN-Loop", LoopId(2)));
  EXPECT_FALSE(Loops("CDN-Loop", "other;id=" + own));
  EXPECT_FALSE(Loops("Via", "1.1 " + own));
}

TEST(LoopDetection, AChainOfEdgesIsNoLoopUnlessItDoesNotEnd) {
  std::string via(ViaEntry());
  for (int i = 1; i < kMaxEdgesPassed - 1; ++i) via.append(", ").append(ViaEntry());
  EXPECT_FALSE(Loops("Via", via));
  EXPECT_TRUE(Loops("Via", via.append(", ").append(ViaEntry())));
}

}  // namespace
}  // namespace meridian::edge
