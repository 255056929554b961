#include "dispatch/waiting_line.hpp"

#include <gtest/gtest.h>

namespace meridian::dispatch {
namespace {

bool Anybody(int /*ticket*/) { return true; }

TEST(WaitingLine, FirstComeFirstServed) {
  WaitingLine<int> line(3);
  int first = 1;
  int second = 2;
  EXPECT_TRUE(line.Join(first));
  EXPECT_TRUE(line.Join(second));
  EXPECT_EQ(line.Take(Anybody), &first);
  EXPECT_EQ(line.Take(Anybody), &second);
  EXPECT_EQ(line.Take(Anybody), nullptr);
}

TEST(WaitingLine, OneThatCannotBeServedHoldsUpNobody) {
  WaitingLine<int> line(3);
  int first = 1;
  int second = 2;
  line.Join(first);
  line.Join(second);
  EXPECT_EQ(line.Take([](int ticket) { return ticket == 2; }), &second);
  EXPECT_EQ(line.Take([](int ticket) { return ticket == 2; }), nullptr);
  EXPECT_EQ(line.Take(Anybody), &first);
}

TEST(WaitingLine, IsFullAtItsLimitAndHasRoomWhenSomebodyLeaves) {
  WaitingLine<int> line(2);
  int tickets[3] = {};
  EXPECT_TRUE(line.Join(tickets[0]));
  EXPECT_TRUE(line.Join(tickets[1]));
  EXPECT_FALSE(line.Join(tickets[2]));
  line.Leave(tickets[0]);
  EXPECT_TRUE(line.Join(tickets[2]));
  EXPECT_EQ(line.Take(Anybody), &tickets[1]);
  EXPECT_EQ(line.Take(Anybody), &tickets[2]);
}

TEST(WaitingLine, WithoutRoomTakesNobody) {
  WaitingLine<int> line(0);
  int ticket = 1;
  EXPECT_FALSE(line.Join(ticket));
  EXPECT_TRUE(line.empty());
}

}  // namespace
}  // namespace meridian::dispatch
