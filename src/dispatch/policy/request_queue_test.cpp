#include "dispatch/policy/request_queue.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace meridian::dispatch {
namespace {

using Line = RequestQueue<int>;
using Verdict = Line::Verdict;

// Removes the first request for which `may_leave`; null without one.
int* Take(Line& line, bool (*may_leave)(int) = [](int) { return true; }) {
  int* taken = nullptr;
  line.ForEach([&](int& request) {
    if (taken != nullptr) return Verdict::kStop;
    if (!may_leave(request)) return Verdict::kStays;
    taken = &request;
    return Verdict::kLeaves;
  });
  return taken;
}

TEST(RequestQueue, FirstComeFirstServed) {
  Line line(3);
  int first = 1;
  int second = 2;
  EXPECT_TRUE(line.Add(first));
  EXPECT_TRUE(line.Add(second));
  EXPECT_EQ(Take(line), &first);
  EXPECT_EQ(Take(line), &second);
  EXPECT_EQ(Take(line), nullptr);
}

TEST(RequestQueue, AWaiterThatCannotBeServedDoesNotBlockOthers) {
  Line line(3);
  int first = 1;
  int second = 2;
  line.Add(first);
  line.Add(second);
  auto is_second = [](int request) { return request == 2; };
  EXPECT_EQ(Take(line, is_second), &second);
  EXPECT_EQ(Take(line, is_second), nullptr);
  EXPECT_EQ(Take(line), &first);
}

TEST(RequestQueue, VisitsEachRequestOnceInOrderUntilToldToStop) {
  Line line(4);
  int requests[4] = {1, 2, 3, 4};
  for (int& each : requests) line.Add(each);
  std::vector<int> visited;
  line.ForEach([&](int request) {
    visited.push_back(request);
    return request == 3 ? Verdict::kStop : request == 1 ? Verdict::kLeaves : Verdict::kStays;
  });
  EXPECT_EQ(visited, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(line.size(), 3u);
  while (Take(line) != nullptr) {
  }
}

TEST(RequestQueue, IsFullAtItsLimitAndHasRoomWhenAWaiterLeaves) {
  Line line(2);
  int requests[3] = {};
  EXPECT_TRUE(line.Add(requests[0]));
  EXPECT_TRUE(line.Add(requests[1]));
  EXPECT_FALSE(line.Add(requests[2]));
  line.Remove(requests[0]);
  EXPECT_TRUE(line.Add(requests[2]));
  EXPECT_EQ(Take(line), &requests[1]);
  EXPECT_EQ(Take(line), &requests[2]);
}

TEST(RequestQueue, WithALimitOfZeroRefusesAll) {
  Line line(0);
  int ticket = 1;
  EXPECT_FALSE(line.Add(ticket));
  EXPECT_TRUE(line.empty());
}

}  // namespace
}  // namespace meridian::dispatch
