#include "dispatch/request_queue.hpp"

#include <gtest/gtest.h>

namespace meridian::dispatch {
namespace {

bool Anybody(int /*ticket*/) { return true; }

TEST(RequestQueue, FirstComeFirstServed) {
  RequestQueue<int> line(3);
  int first = 1;
  int second = 2;
  EXPECT_TRUE(line.Add(first));
  EXPECT_TRUE(line.Add(second));
  EXPECT_EQ(line.Take(Anybody), &first);
  EXPECT_EQ(line.Take(Anybody), &second);
  EXPECT_EQ(line.Take(Anybody), nullptr);
}

TEST(RequestQueue, AWaiterThatCannotBeServedDoesNotBlockOthers) {
  RequestQueue<int> line(3);
  int first = 1;
  int second = 2;
  line.Add(first);
  line.Add(second);
  EXPECT_EQ(line.Take([](int ticket) { return ticket == 2; }), &second);
  EXPECT_EQ(line.Take([](int ticket) { return ticket == 2; }), nullptr);
  EXPECT_EQ(line.Take(Anybody), &first);
}

TEST(RequestQueue, IsFullAtItsLimitAndHasRoomWhenAWaiterLeaves) {
  RequestQueue<int> line(2);
  int tickets[3] = {};
  EXPECT_TRUE(line.Add(tickets[0]));
  EXPECT_TRUE(line.Add(tickets[1]));
  EXPECT_FALSE(line.Add(tickets[2]));
  line.Remove(tickets[0]);
  EXPECT_TRUE(line.Add(tickets[2]));
  EXPECT_EQ(line.Take(Anybody), &tickets[1]);
  EXPECT_EQ(line.Take(Anybody), &tickets[2]);
}

TEST(RequestQueue, WithALimitOfZeroRefusesAll) {
  RequestQueue<int> line(0);
  int ticket = 1;
  EXPECT_FALSE(line.Add(ticket));
  EXPECT_TRUE(line.empty());
}

}  // namespace
}  // namespace meridian::dispatch
