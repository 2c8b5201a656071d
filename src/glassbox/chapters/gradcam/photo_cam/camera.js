// The camera, frame by frame.

import { make } from "../../../explorables/js/dom.js";
import { NO_CAMERA_HERE } from "./words.js";

// The network sees 224 pixels; a phone looks to the front, not at its reader.
const WISHES = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "environment" };

/** Turns the camera on. `frame()` promises the next picture; `ended` is called where it goes away. */
export async function openCamera(ended) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(NO_CAMERA_HERE);
  const stream = await navigator.mediaDevices.getUserMedia({ video: WISHES, audio: false });
  const video = make("video", { muted: true, playsInline: true, srcObject: stream });
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", ended);
  await video.play();
  return {
    async frame() {
      await nextFrame(video);
      return createImageBitmap(video);
    },
    close() {
      track.removeEventListener("ended", ended);
      track.stop();
      video.srcObject = null;
    },
  };
}

const nextFrame = (video) =>
  new Promise((done) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(done);
    else requestAnimationFrame(done);
  });
