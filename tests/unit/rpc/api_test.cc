// SPDX-License-Identifier: Apache-2.0
//
// What a client of any language sees: codes and google.rpc details.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "control/rpc/traffic_convert.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::HasSubstr;

template <typename Message>
Message Detail(const grpc::Status& status) {
  google::rpc::Status all;
  EXPECT_TRUE(all.ParseFromString(status.error_details()));
  Message message;
  for (const auto& any : all.details()) {
    if (any.UnpackTo(&message)) return message;
  }
  ADD_FAILURE() << "no " << Message::descriptor()->full_name() << " in the details";
  return message;
}

template <typename Message>
bool HasDetail(const grpc::Status& status) {
  google::rpc::Status all;
  EXPECT_TRUE(all.ParseFromString(status.error_details()));
  return std::any_of(all.details().begin(), all.details().end(),
                     [](const auto& any) { return any.template Is<Message>(); });
}

class ApiTest : public ServerFixture {};

TEST_F(ApiTest, AppliesAndNamesTheCallerByTheKernelsWord) {
  v1::ApplyResponse response;
  const grpc::Status status = Apply(MakeApply(engine::MakeConfig(4)), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.applied().revision(), 1u);
  EXPECT_FALSE(response.applied().has_config());
  EXPECT_EQ(response.verdict().severity(), v1::SEVERITY_PASS);
  EXPECT_EQ(response.probes(), 2u);
  const std::string uid = absl::StrCat("uid ", ::getuid());
  EXPECT_THAT(response.applied().author(), ::testing::StartsWith(uid));
  EXPECT_EQ(engine_->GetRevision(1)->author, response.applied().author());
}

TEST_F(ApiTest, AMissingEtagAndReasonAreBadRequestsWithFields) {
  v1::ApplyRequest request = MakeApply(engine::MakeConfig(4));
  request.clear_etag();
  request.clear_reason();
  const grpc::Status status = Apply(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto bad = Detail<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(0).field(), "etag");
  EXPECT_EQ(bad.field_violations(1).field(), "reason");
}

TEST_F(ApiTest, EveryBadFieldOfAConfigIsNamedAtOnce) {
  v1::ApplyRequest request = MakeApply(engine::MakeConfig(4));
  v1::Config* config = request.mutable_change()->mutable_config();
  config->mutable_vips(0)->set_port(65536);
  config->mutable_vips(0)->set_protocol(v1::PROTOCOL_UNSPECIFIED);
  config->mutable_pools(0)->mutable_backends(2)->set_address("web.example.org");
  config->mutable_pools(0)->mutable_backends(3)->set_state(static_cast<v1::AdminState>(77));
  const grpc::Status status = Apply(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  std::vector<std::string> fields;
  const auto bad = Detail<google::rpc::BadRequest>(status);
  for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre("change.config.vips[0].port",
                                                      "change.config.vips[0].protocol",
                                                      "change.config.pools[0].backends[2].address",
                                                      "change.config.pools[0].backends[3].state"));
  EXPECT_THAT(status.error_message(), HasSubstr("change.config.vips[0].port"));
}

TEST_F(ApiTest, OfTwoConcurrentAppliesTheOtherIsAborted) {
  ASSERT_TRUE(Apply(MakeApply(engine::MakeConfig(8))).ok());
  const v1::ApplyRequest first = MakeApply(engine::MakeConfig(9));
  const v1::ApplyRequest second = MakeApply(engine::MakeConfig(10));
  auto other = std::async(std::launch::async, [&] { return Apply(second); });
  const grpc::Status mine = Apply(first);
  const grpc::Status theirs = other.get();
  ASSERT_NE(mine.ok(), theirs.ok());
  const grpc::Status& loser = mine.ok() ? theirs : mine;
  EXPECT_EQ(loser.error_code(), grpc::StatusCode::ABORTED);
  const auto info = Detail<google::rpc::ErrorInfo>(loser);
  EXPECT_EQ(info.reason(), "STALE_ETAG");
  EXPECT_EQ(info.metadata().at("etag"), engine_->Get()->etag);
  EXPECT_EQ(info.metadata().at("revision"), "2");
}

TEST_F(ApiTest, ARefusalCarriesEveryViolationInOnePreconditionFailure) {
  ASSERT_TRUE(Apply(MakeApply(engine::MakeConfig(4))).ok());
  model::Config outage = engine::MakeConfig(4);
  for (size_t i = 1; i < 4; ++i) outage.pools[0].backends[i].state = model::AdminState::kDisabled;
  outage.pools[0].backends[0].weight = 65536;

  engine::Request plan;
  plan.change.config = outage;
  const guard::Verdict verdict = engine_->Plan(plan).verdict;
  ASSERT_GE(verdict.violations.size(), 3u);

  const grpc::Status status = Apply(MakeApply(outage));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Detail<google::rpc::ErrorInfo>(status).reason(), "REFUSED");
  const auto failure = Detail<google::rpc::PreconditionFailure>(status);
  ASSERT_EQ(failure.violations_size(), static_cast<int>(verdict.violations.size()));
  for (size_t i = 0; i < verdict.violations.size(); ++i) {
    const auto& sent = failure.violations(static_cast<int>(i));
    EXPECT_EQ(sent.type(), verdict.violations[i].rule);
    EXPECT_EQ(sent.subject(), verdict.violations[i].subject);
    for (const std::string& part : {verdict.violations[i].message, verdict.violations[i].observed,
                                    verdict.violations[i].limit, verdict.violations[i].fix}) {
      EXPECT_THAT(sent.description(), HasSubstr(part));
    }
  }
  EXPECT_EQ(engine_->Get()->revision, 1u);
}

// gRPC's own clients refuse trailers above 8 KiB: what they get must fit and say what is missing.
TEST_F(ApiTest, ARefusalWithHundredsOfViolationsReachesAPlainClient) {
  model::Config config = engine::MakeConfig(4);
  model::Pool& pool = config.pools[0];
  pool.table_size = 65537;
  for (int i = 0; i < 300; ++i) {
    model::Backend backend;
    backend.name = absl::StrCat("copy-", i);
    backend.address = model::IpAddress::FromIpv4({127, 0, 1, static_cast<uint8_t>(i % 250)});
    backend.weight = 1'000'000 + i;
    pool.backends.push_back(backend);
  }
  const grpc::Status status = Apply(MakeApply(config));
  ASSERT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
  const auto failure = Detail<google::rpc::PreconditionFailure>(status);
  EXPECT_GT(failure.violations_size(), 3);
  EXPECT_EQ(failure.violations(failure.violations_size() - 1).type(), "TRUNCATED");
  EXPECT_FALSE(HasDetail<v1::Verdict>(status));

  engine::Request request = MakeRequest(config);
  const engine::Outcome whole = client_->Apply(request);
  ASSERT_EQ(whole.kind, engine::Outcome::Kind::kRefused);
  EXPECT_EQ(whole.verdict.violations.size(), engine_->Plan(request).verdict.violations.size());
}

TEST_F(ApiTest, AMessageAboveTheLimitIsResourceExhausted) {
  v1::ApplyRequest request = MakeApply(engine::MakeConfig(4));
  request.set_reason(std::string(65 << 20, 'x'));
  const grpc::Status status = Apply(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("at most 67108864"));
  EXPECT_TRUE(Apply(MakeApply(engine::MakeConfig(4))).ok());
}

TEST_F(ApiTest, AMessageFarAboveIsNotEvenRead) {
  v1::ApplyRequest request = MakeApply(engine::MakeConfig(4));
  request.set_reason(std::string(129 << 20, 'x'));
  EXPECT_EQ(Apply(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Apply(MakeApply(engine::MakeConfig(4))).ok());
}

TEST_F(ApiTest, AFailedPublishIsUnavailable) {
  kernel_.publish_error = absl::FailedPreconditionError("read back differs");
  const grpc::Status status = Apply(MakeApply(engine::MakeConfig(4)));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Detail<google::rpc::ErrorInfo>(status).reason(), "FAILED");
  EXPECT_THAT(status.error_message(), HasSubstr("read back differs"));
}

TEST_F(ApiTest, ARefusedPlanIsAGoodAnswer) {
  v1::PlanRequest request;
  *request.mutable_change()->mutable_config() = ToProto(engine::MakeConfig(1));
  v1::PlanResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->Plan(&context, request, &response).ok());
  EXPECT_EQ(response.verdict().severity(), v1::SEVERITY_BLOCK);
  EXPECT_EQ(response.etag(), "r0");
}

TEST_F(ApiTest, APlanHasTheLiveTraffic) {
  MustApply(engine::MakeConfig(4));
  std::vector<dataplane::SampleOptions> asked;
  sample_ = [&](const dataplane::SampleOptions& options) {
    asked.push_back(options);
    dataplane::Sample sample;
    sample.missed = 3;
    sample.lasted = std::chrono::milliseconds(1234);
    sample.packets.push_back({.head = std::vector<uint8_t>(60), .length = 60});
    return sample;
  };
  engine::Request plan = MakeRequest(engine::MakeConfig(5));
  EXPECT_FALSE(client_->Plan(plan).live_traffic->sample);
  EXPECT_TRUE(asked.empty());
  plan.sample_for = std::chrono::milliseconds(1234);
  engine::Outcome outcome = client_->Plan(plan);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].window, std::chrono::milliseconds(1234));
  ASSERT_TRUE(outcome.live_traffic && outcome.live_traffic->sample);
  EXPECT_EQ(outcome.live_traffic->sample->one_in, 1u);
  EXPECT_EQ(outcome.live_traffic->sample->packets, 1u);
  EXPECT_EQ(outcome.live_traffic->sample->missed, 3u);
  EXPECT_EQ(outcome.live_traffic->sample->lasted, std::chrono::milliseconds(1234));
  ASSERT_EQ(outcome.live_traffic->pools.size(), 1u);
  EXPECT_EQ(outcome.live_traffic->pools[0].pool, "web");
  EXPECT_FALSE(outcome.live_traffic->pools[0].packets_per_s);

  sample_ = [](const dataplane::SampleOptions&) { return absl::InternalError("no"); };
  outcome = client_->Plan(plan);
  EXPECT_EQ(outcome.kind, engine::Outcome::Kind::kValidated);
  EXPECT_EQ(outcome.live_traffic->not_sampled, "no");
}

TEST(LiveTrafficConvert, KeepsEveryNumber) {
  traffic::LiveTraffic live;
  live.pools = {{.pool = "web",
                 .packets_per_s = 1.5,
                 .moved_packets_per_s = 0.0,
                 .sampled = {1, 2},
                 .moved = {3, 4},
                 .staying = {5, 6},
                 .cut = {7, 8}}};
  live.interval = std::chrono::milliseconds(5001);
  const traffic::LiveTraffic back = FromProto(ToProto(live));
  ASSERT_EQ(back.pools.size(), 1u);
  EXPECT_EQ(back.pools[0].packets_per_s, 1.5);
  EXPECT_EQ(back.pools[0].moved_packets_per_s, 0.0);
  EXPECT_EQ(back.pools[0].sampled, (traffic::Count{1, 2}));
  EXPECT_EQ(back.pools[0].moved, (traffic::Count{3, 4}));
  EXPECT_EQ(back.pools[0].staying, (traffic::Count{5, 6}));
  EXPECT_EQ(back.pools[0].cut, (traffic::Count{7, 8}));
  EXPECT_EQ(back.interval, live.interval);
  EXPECT_FALSE(back.sample);
}

TEST_F(ApiTest, ATimeBelowZeroIsInvalid) {
  v1::PlanRequest request;
  *request.mutable_change()->mutable_config() = ToProto(engine::MakeConfig(4));
  request.mutable_sample_for()->set_seconds(-1);
  v1::PlanResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub_->Plan(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Detail<google::rpc::BadRequest>(status).field_violations(0).field(), "sample_for");
}

TEST_F(ApiTest, AnUnknownRevisionIsNotFoundWithItsName) {
  v1::GetRequest request;
  request.set_revision(9);
  v1::GetResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub_->Get(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Detail<google::rpc::ResourceInfo>(status).resource_name(), "revisions/9");
}

// Bytes in and out of a method whose messages are not declared here.
class GenericCall {
 public:
  explicit GenericCall(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  }

  std::string Unary(const std::string& method, const std::string& request) {
    auto call = stub_.PrepareUnaryCall(&context_, method, ToBuffer(request), &queue_);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    Next();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ToText(answer);
  }
  std::string FirstOfStream(const std::string& method, const std::string& request) {
    auto call = stub_.PrepareCall(&context_, method, &queue_);
    call->StartCall(this);
    Next();
    call->Write(ToBuffer(request), this);
    Next();
    grpc::ByteBuffer answer;
    call->Read(&answer, this);
    Next();
    call->WritesDone(this);
    Next();
    grpc::Status status;
    call->Finish(&status, this);
    Next();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return ToText(answer);
  }

 private:
  static grpc::ByteBuffer ToBuffer(const std::string& text) {
    const grpc::Slice slice(text);
    return {&slice, 1};
  }
  static std::string ToText(const grpc::ByteBuffer& buffer) {
    grpc::Slice slice;
    EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
    return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
  }
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
};

TEST_F(ApiTest, HealthAnswersServing) {
  const std::string name = "evenkeel.v1.Control";
  const std::string of_service = "\x0a" + std::string(1, static_cast<char>(name.size())) + name;
  for (const std::string& request : {std::string(), of_service}) {  // HealthCheckRequest
    EXPECT_EQ(GenericCall(channel_).Unary("/grpc.health.v1.Health/Check", request),
              "\x08\x01");  // status: SERVING
  }
}

TEST_F(ApiTest, ReflectionListsTheServices) {
  const std::string list_services = "\x3a\x01*";  // field 7 of ServerReflectionRequest
  const std::string answer = GenericCall(channel_).FirstOfStream(
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);
  EXPECT_THAT(answer, HasSubstr("evenkeel.v1.Control"));
  EXPECT_THAT(answer, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(ApiTest, TheSocketIsClosedToOthers) {
  struct stat info {};
  ASSERT_EQ(::stat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  ASSERT_EQ(::stat((dir_ + "/run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750u);
}

}  // namespace
}  // namespace evenkeel::rpc
