use http::{HeaderName, HeaderValue};

use super::*;
use crate::payload::provider;

fn read(body: &str) -> Payload {
    Payload::read(&Bytes::copy_from_slice(body.as_bytes()), &Headers::default(), None).unwrap()
}

/// `provider variant kind event[*] status/raw id`; the star marks an inferred event.
fn line(payload: &Payload) -> String {
    let event = payload.event.as_ref();
    let event = event.map_or("-".into(), |e| format!("{}{}", e.name, if e.inferred { "*" } else { "" }));
    format!(
        "{} {} {} {event} {}/{} {}",
        payload.provider.name,
        payload.shape.variant,
        payload.shape.kind.name(),
        payload.status.map_or("-", Status::name),
        payload.raw_status.as_deref().unwrap_or("-"),
        payload.id.as_deref().unwrap_or("-"),
    )
}

#[test]
fn every_fixture_is_recognised() {
    let lines: Vec<_> = provider::fixtures().map(|(_, f)| format!("{}: {}", f.name, line(&read(f.body)))).collect();
    // Generations B and C have the same body; without headers, the newer is assumed.
    insta::assert_snapshot!(lines.join("\n"), @r"
    eachlabs/a/success: eachlabs A prediction completed* succeeded/success abc123-def456-ghi789
    eachlabs/a/failed: eachlabs A prediction failed* failed/failed abc123-def456-ghi789
    eachlabs/b/succeeded: eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789
    eachlabs/b/failed: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
    eachlabs/b/failed-code: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
    eachlabs/c/succeeded: eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789
    eachlabs/c/redelivery: eachlabs C prediction completed* succeeded/succeeded abc123-def456-ghi789
    eachlabs/c/failed: eachlabs C prediction failed* failed/failed abc123-def456-ghi789
    eachlabs/workflow/completed: eachlabs workflow workflow completed* succeeded/completed exec-7f3a9c21-5b1e
    eachlabs/workflow/failed: eachlabs workflow workflow failed* failed/failed exec-7f3a9c21-5b1e
    eachlabs/workflow/bulk: eachlabs workflow workflow completed* succeeded/completed exec-7f3a9c21-5b1e
    modelslab/success: modelslab generation prediction completed* succeeded/success abc123-def456
    modelslab/failed: modelslab generation prediction failed* failed/failed abc123-def456
    modelslab/processing: modelslab generation prediction processing* processing/processing abc123-def456
    modelslab/workflow: modelslab workflow workflow workflow.completed succeeded/completed exec_xyz789
    modelslab/workflow-flat: modelslab workflow-flat workflow workflow.completed succeeded/completed 12345
    cog/coglet/start: cog coglet prediction start* processing/processing wjx3whax6rf4vphkegkhcvpv6a
    cog/coglet/output: cog coglet prediction output* processing/processing piter-success
    cog/coglet/logs: cog coglet prediction logs* processing/processing wjx3whax6rf4vphkegkhcvpv6a
    cog/coglet/succeeded: cog coglet prediction completed* succeeded/succeeded wjx3whax6rf4vphkegkhcvpv6a
    cog/coglet/failed: cog coglet prediction completed* failed/failed ptext-failure
    cog/coglet/canceled: cog coglet prediction completed* canceled/canceled ptext-canceled
    cog/python/start: cog python prediction start* processing/processing wjx3whax6rf4vphkegkhcvpv6a
    cog/python/output: cog python prediction output* processing/processing piter-success
    cog/python/logs: cog python prediction logs* processing/processing wjx3whax6rf4vphkegkhcvpv6a
    cog/python/succeeded: cog python prediction completed* succeeded/succeeded wjx3whax6rf4vphkegkhcvpv6a
    cog/python/failed: cog python prediction completed* failed/failed ptext-failure
    cog/python/canceled: cog python prediction completed* canceled/canceled ptext-canceled
    replicate/start: replicate prediction prediction start* starting/starting ufawqhfynnddngldkgtslldrkq
    replicate/logs: replicate prediction prediction logs* processing/processing ufawqhfynnddngldkgtslldrkq
    replicate/output: replicate prediction prediction output* processing/processing ufawqhfynnddngldkgtslldrkq
    replicate/succeeded: replicate prediction prediction completed* succeeded/succeeded ufawqhfynnddngldkgtslldrkq
    replicate/failed: replicate prediction prediction completed* failed/failed ufawqhfynnddngldkgtslldrkq
    replicate/canceled: replicate prediction prediction completed* canceled/canceled ufawqhfynnddngldkgtslldrkq
    openai/completed: openai run prediction response.completed succeeded/response.completed resp_68534f7b1f58819e9b3b1c1d7b0d2c61
    openai/failed: openai run prediction response.failed failed/response.failed resp_68534f7b1f58819e9b3b1c1d7b0d2c61
    openai/incomplete: openai run prediction response.incomplete failed/response.incomplete resp_68534f7b1f58819e9b3b1c1d7b0d2c61
    openai/cancelled: openai run prediction response.cancelled canceled/response.cancelled resp_68534f7b1f58819e9b3b1c1d7b0d2c61
    openai/batch-completed: openai run prediction batch.completed succeeded/batch.completed batch_685343a1381c819085d44c35
    openai/fine-tuning-succeeded: openai run prediction fine_tuning.job.succeeded succeeded/fine_tuning.job.succeeded ftjob-AF1WoRqd3aJAHsqc9NY7iL8F
    openai/eval-failed: openai run prediction eval.run.failed failed/eval.run.failed evalrun_685343a1381c819085d44c35
    openai/call-incoming: openai notice notice realtime.call.incoming -/- evt_685343a1381c819085d44c354e1b330e
    fal/ok: fal result prediction completed* succeeded/OK 123e4567-e89b-12d3-a456-426614174000
    fal/error: fal result prediction failed* failed/ERROR 123e4567-e89b-12d3-a456-426614174000
    fal/payload-error: fal payload-error prediction completed* succeeded/OK 123e4567-e89b-12d3-a456-426614174000
    bfl/ready: bfl generation prediction completed* succeeded/Ready a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d
    bfl/error: bfl generation prediction failed* failed/Error a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d
    runpod/completed: runpod job prediction completed* succeeded/COMPLETED 60902e6c-08a1-426e-9cb9-9eaec90f5e2b-u1
    runpod/completed-with-input: runpod job prediction completed* succeeded/COMPLETED 60902e6c-08a1-426e-9cb9-9eaec90f5e2b-u1
    runpod/failed: runpod job prediction failed* failed/FAILED 60902e6c-08a1-426e-9cb9-9eaec90f5e2b-u1
    huggingface/repo: huggingface change notice repo.content.update -/- -
    huggingface/discussion: huggingface change notice discussion.create -/- -
    huggingface/comment: huggingface change notice discussion.comment.create -/- -
    assemblyai/completed: assemblyai transcript prediction completed* succeeded/completed 5552493-16d8-42d8-8feb-c2a16b56f6e8
    assemblyai/error: assemblyai transcript prediction failed* failed/error 5552493-16d8-42d8-8feb-c2a16b56f6e8
    elevenlabs/transcription: elevenlabs transcription notice post_call_transcription succeeded/done conv_01jxd5y165f62a0v7gtr6bkg56
    elevenlabs/failed: elevenlabs transcription notice post_call_transcription failed/failed conv_01jxd5y165f62a0v7gtr6bkg56
    elevenlabs/audio: elevenlabs audio notice post_call_audio -/- conv_01jxd5y165f62a0v7gtr6bkg56
    luma/dreaming: luma generation prediction processing* processing/dreaming 123e4567-e89b-12d3-a456-426614174000
    luma/completed: luma generation prediction completed* succeeded/completed 123e4567-e89b-12d3-a456-426614174000
    luma/failed: luma generation prediction failed* failed/failed 123e4567-e89b-12d3-a456-426614174000
    kie/success: kie task prediction completed* succeeded/200 ee9c2715375b7837f8bb51d641ff5863
    kie/failed: kie task prediction failed* failed/500 ee9c2715375b7837f8bb51d641ff5863
    ");
}

#[test]
fn variations_that_providers_send_are_recognised() {
    let cases = [
        // ModelsLab: integer ids, `error` for `failed`, `messege`, no track_id.
        (
            r#"{"status":"success","id":12345678,"output":["https://x/y.png"],"generationTime":1.2}"#,
            "modelslab generation prediction completed* succeeded/success 12345678",
        ),
        (
            r#"{"status":"success","id":"1","output":["https://x/y.png"]}"#,
            "modelslab generation prediction completed* succeeded/success 1",
        ),
        (r#"{"status":"error","messege":"bad","id":7}"#, "modelslab generation prediction failed* failed/error 7"),
        (
            r#"{"status":"processing","tip":"x","eta":5,"messege":"","id":7,"output":[],"fetch_result":"u","future_links":[],"meta":{}}"#,
            "modelslab generation prediction processing* processing/processing 7",
        ),
        // Cog: fields that were never set are left out, and cog 0.9 leaks request fields.
        (r#"{"id":"p","logs":"x\n","status":"processing"}"#, "cog coglet prediction logs* processing/processing p"),
        (
            r#"{"error":"Worker crashed","id":"p","logs":"","metrics":{},"status":"failed"}"#,
            "cog coglet prediction completed* failed/failed p",
        ),
        (
            r#"{"input": {}, "output": null, "id": null, "created_at": null, "started_at": "t", "logs": "", "status": "processing"}"#,
            "cog python prediction start* processing/processing -",
        ),
        (
            r#"{"input": {}, "output": "x", "id": "p", "created_at": null, "started_at": "t", "completed_at": "t", "logs": "", "status": "succeeded", "output_file_prefix": null, "webhook": "u", "webhook_events_filter": []}"#,
            "cog python prediction completed* succeeded/succeeded p",
        ),
        // each::labs without metrics; a workflow of a bulk request.
        (
            r#"{"id":"a","status":"success","output":"https://x","input":{}}"#,
            "eachlabs A prediction completed* succeeded/success a",
        ),
        (r#"{"id":"a","status":"failed","output":null,"logs":"no"}"#, "eachlabs A prediction failed* failed/failed a"),
        (
            r#"{"execution_id":"e","workflow_id":"w","bulk_id":"b","status":"cancelled","started_at":"t","inputs":{}}"#,
            "eachlabs workflow workflow canceled* canceled/cancelled e",
        ),
        // Replicate: the page's example, without URLs; the API's object, without times.
        (
            r#"{"id":"r","version":"v","created_at":"t","started_at":null,"completed_at":null,"status":"starting","input":{},"output":null,"error":null,"logs":null,"metrics":{}}"#,
            "replicate prediction prediction start* starting/starting r",
        ),
        (
            r#"{"id":"r","model":"a/b","input":{},"logs":"","output":["x"],"data_removed":false,"error":null,"status":"processing","created_at":"2022-04-26T22:13:06.224088Z","urls":{"cancel":"u","get":"u"}}"#,
            "replicate prediction prediction output* processing/processing r",
        ),
        (
            r#"{"input": {}, "output": null, "id": "p", "created_at": "2026-11-20T21:21:23.336925+00:00", "started_at": "t", "logs": "", "status": "processing"}"#,
            "cog python prediction start* processing/processing p",
        ),
        // Cog or Replicate: only the end of the times tells.
        (
            r#"{"id":"r","input":{},"output":null,"logs":"","status":"processing","created_at":"2022-04-26T22:13:06.224088Z","started_at":null}"#,
            "replicate prediction prediction start* processing/processing r",
        ),
        // OpenAI: `object` may be absent, and there are unknown events.
        (
            r#"{"id":"evt_1","created_at":1,"type":"response.completed","data":{"id":"resp_1"}}"#,
            "openai run prediction response.completed succeeded/response.completed resp_1",
        ),
        (
            r#"{"id":"evt_1","object":"event","created_at":1,"type":"batch.expired","data":{"id":"b"}}"#,
            "openai run prediction batch.expired failed/batch.expired b",
        ),
        (
            r#"{"id":"evt_1","object":"event","created_at":1,"type":"response.paused","data":{"id":"resp_1"}}"#,
            "openai run prediction response.paused -/response.paused resp_1",
        ),
        (
            r#"{"id":"evt_1","object":"event","created_at":1,"type":"agent.session.failed","data":{"id":"s","environment_type":"e"}}"#,
            "openai notice notice agent.session.failed -/- evt_1",
        ),
        // Stripe's events are similar, but have `created`.
        (
            r#"{"id":"evt_1","object":"event","api_version":"v","created":1,"data":{"object":{}},"type":"charge.failed"}"#,
            "generic generic other charge.failed -/- evt_1",
        ),
        // fal without the gateway's id.
        (r#"{"request_id":"r","status":"OK","payload":{}}"#, "fal result prediction completed* succeeded/OK r"),
        (r#"{"request_id":"r","status":"OK"}"#, "generic generic other - -/OK r"),
        // RunPod: with the input; the states of the API.
        (
            r#"{"delayTime":1,"executionTime":2,"id":"r","input":{},"output":["x"],"status":"COMPLETED"}"#,
            "runpod job prediction completed* succeeded/COMPLETED r",
        ),
        (r#"{"delayTime":1,"id":"r","status":"TIMED_OUT"}"#, "runpod job prediction failed* failed/TIMED_OUT r"),
        (
            r#"{"delayTime":1,"id":"r","status":"IN_PROGRESS"}"#,
            "runpod job prediction processing* processing/IN_PROGRESS r",
        ),
        (r#"{"delayTime":1,"id":"r","status":"CANCELLED"}"#, "runpod job prediction canceled* canceled/CANCELLED r"),
        // Black Forest Labs.
        (
            r#"{"id":"gen","status":"Ready","result":{"sample":"u"},"timestamp":"t"}"#,
            "bfl generation prediction completed* succeeded/Ready gen",
        ),
        (
            r#"{"id":"gen","status":"Request Moderated"}"#,
            "bfl generation prediction failed* failed/Request Moderated gen",
        ),
        (r#"{"id":"gen","status":"Pending"}"#, "bfl generation prediction processing* processing/Pending gen"),
        // Luma.
        (r#"{"id":"g","state":"dreaming"}"#, "luma generation prediction processing* processing/dreaming g"),
        (
            r#"{"id":"g","generation_type":"image","state":"queued","assets":null}"#,
            "luma generation prediction starting* starting/queued g",
        ),
        (r#"{"id":"g","state":"completed"}"#, "generic generic other - succeeded/completed g"),
        // ElevenLabs, an event without a shape of its own.
        (
            r#"{"type":"call_initiation_failure","event_timestamp":1,"data":{"agent_id":"a","conversation_id":"c"}}"#,
            "elevenlabs event notice call_initiation_failure -/- c",
        ),
        // Kie: either spelling of the id, and any code but 200.
        (
            r#"{"code":200,"msg":"ok","data":{"taskId":"t","info":{}}}"#,
            "kie task prediction completed* succeeded/200 t",
        ),
        (r#"{"code":501,"msg":"no","data":{"task_id":"t"}}"#, "kie task prediction failed* failed/501 t"),
        (r#"{"code":451,"msg":"no","taskId":"t"}"#, "kie task prediction failed* failed/451 t"),
        // Others: GitHub, the form that Standard Webhooks recommends, almost empty bodies.
        (r#"{"action":"opened","issue":{"id":1},"repository":{"id":2}}"#, "generic generic other - -/- -"),
        (
            r#"{"type":"user.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"u"}}"#,
            "generic generic other user.created -/- -",
        ),
        (r#"{"code":200,"msg":"ok","data":null}"#, "generic generic other - -/- -"),
        (r#"{}"#, "generic generic other - -/- -"),
        (r#"[1,2]"#, "generic generic other - -/- -"),
    ];
    for (body, expected) in cases {
        assert_eq!(line(&read(body)), expected, "{body}");
    }
}

#[test]
fn the_named_provider_and_the_user_agent_win_over_the_body() {
    let body = Bytes::from_static(br#"{"id":"x","status":"done"}"#);
    let named = Payload::read(&body, &Headers::default(), Provider::named("modelslab")).unwrap();
    assert_eq!((named.provider.name, named.status, named.raw_status.as_deref()), ("modelslab", None, Some("done")));

    let mut headers = Headers::default();
    headers
        .push(HeaderName::from_static("user-agent"), HeaderValue::from_static("cog-worker/0.9.26 python-requests/2"));
    let told = Payload::read(&body, &headers, None).unwrap();
    assert_eq!((told.provider.name, told.shape.variant), ("cog", "python"));
}

#[test]
fn headers_decide_where_the_body_is_ambiguous() {
    let cases = [
        ("x-bfl-signature", r#"{"id":"x","status":"Queued"}"#, "bfl"),
        ("x-fal-webhook-signature", r#"{"request_id":"x","status":"DONE"}"#, "fal"),
        ("elevenlabs-signature", r#"{"type":"agent_changed","event_timestamp":1,"data":{}}"#, "elevenlabs"),
        ("x-webhook-timestamp", r#"{"code":500,"msg":"no"}"#, "kie"),
    ];
    for (name, body, provider) in cases {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static(name), HeaderValue::from_static("1"));
        assert_eq!(read(body).provider.name, "generic", "{body}");
        let told = Payload::read(&Bytes::from_static(body.as_bytes()), &headers, None).unwrap();
        assert_eq!(told.provider.name, provider, "{body}");
    }
}

#[test]
fn the_action_is_part_of_the_event_and_no_id_is_invented() {
    let of = |name: &str| provider::fixtures().find(|(_, f)| f.name == name).map(|(_, f)| read(f.body)).unwrap();
    let ids: Vec<_> = of("huggingface/repo").ids.into_iter().map(|(name, id)| format!("{name}={id}")).collect();
    assert_eq!(ids, ["repo=openai-community/gpt2", "commit=575db8b7a51b6f85eb06eee540738584589f131c"]);
    // A repository is updated many times: nothing in the body identifies a repeat.
    assert_eq!(of("huggingface/repo").key(), None);
    let key = "openai/evt_685343a1381c819085d44c354e1b330e/realtime.call.incoming";
    assert_eq!(of("openai/call-incoming").key().as_deref(), Some(key));
}

#[test]
fn only_headers_tell_generations_b_and_c_apart() {
    let body = Bytes::from_static(br#"{"exec_id":"x","flow_id":null,"status":"succeeded","output":"u","error":""}"#);
    let with = |name: &'static str| {
        let mut headers = Headers::default();
        headers.push(HeaderName::from_static(name), HeaderValue::from_static("1"));
        Payload::read(&body, &headers, None).unwrap().shape.variant
    };
    assert_eq!(with("x-webhook-secret"), "B");
    assert_eq!(with("x-webhook-timestamp"), "C");
}

#[test]
fn the_reason_of_a_failure_is_found_for_each_provider() {
    let reason = |body: &str| read(body).error;
    let of = |name: &str| provider::fixtures().find(|(_, f)| f.name == name).map(|(_, f)| f.body).unwrap();
    assert_eq!(reason(of("eachlabs/a/failed")).as_deref(), Some("Error: Model timeout after 30s"));
    assert_eq!(reason(of("eachlabs/b/failed")).as_deref(), Some("Model timeout after 30s"));
    assert_eq!(reason(of("eachlabs/b/failed-code")).as_deref(), Some("Model timeout after 30s"));
    assert_eq!(reason(of("modelslab/failed")).as_deref(), Some("Processing failed: Invalid input dimensions"));
    assert_eq!(reason(of("cog/python/failed")).as_deref(), Some("Invalid input dimensions"));
    assert_eq!(reason(of("eachlabs/workflow/failed")).as_deref(), Some("step generate: Model timeout after 30s"));
    for (name, expected) in [
        ("replicate/failed", "Invalid input dimensions"),
        ("fal/error", "Invalid status code: 422"),
        ("bfl/error", "Invalid input dimensions"),
        ("elevenlabs/failed", "Invalid input dimensions"),
        ("luma/failed", "Invalid input dimensions"),
        ("kie/failed", "Invalid input dimensions"),
    ] {
        assert_eq!(reason(of(name)).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(reason(of("eachlabs/a/success")), None);
    assert!(read(of("fal/error")).output.is_none());
    assert!(read(of("eachlabs/b/failed")).output.is_none());
}

#[test]
fn idempotency_keys_are_provider_id_and_event() {
    let key = |body: &str| read(body).key();
    assert_eq!(
        key(r#"{"id":"abc","status":"success","output":"u","input":{}}"#).as_deref(),
        Some("eachlabs/abc/completed")
    );
    assert_eq!(key(r#"{"id":"r","kind":"x"}"#).as_deref(), Some("generic/r"));
    assert_eq!(key(r#"{"status":"success"}"#), None);
}
